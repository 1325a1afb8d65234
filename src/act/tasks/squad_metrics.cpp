#include <act/io/utf8.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/squad_metrics.hpp>

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

namespace {

// Replaces every match of a fixed pattern. Safe to share between threads.
class text_replacement {
 public:
  /// Precondition: the pattern is valid.
  text_replacement(std::string_view pattern, std::string_view replacement) : replacement_(replacement) {
    int code = 0;
    PCRE2_SIZE at = 0;
    pattern_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr));
  }

  /// Precondition: `text` is UTF-8.
  [[nodiscard]] std::string in(const std::string& text) const {
    constexpr std::uint32_t options = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_EXTENDED |
                                      PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_NO_UTF_CHECK;
    std::string replaced(text.size() + 64, '\0');
    for (;;) {
      PCRE2_SIZE length = replaced.size();
      const int status =
          pcre2_substitute(pattern_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, options,
                           nullptr, nullptr, reinterpret_cast<PCRE2_SPTR>(replacement_.data()),
                           replacement_.size(), reinterpret_cast<PCRE2_UCHAR*>(replaced.data()), &length);
      if (status != PCRE2_ERROR_NOMEMORY) {
        replaced.resize(status < 0 ? 0 : length);
        return status < 0 ? text : replaced;
      }
      replaced.resize(length);
    }
  }

 private:
  struct release {
    void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
  };
  std::unique_ptr<pcre2_code, release> pattern_;
  std::string replacement_;
};

// Bytes that aren't UTF-8 (a token can end inside a character) become spaces.
std::string with_valid_utf8(std::string text) {
  for (std::size_t at; (at = io::find_invalid_utf8(text)) != std::string::npos;) {
    text[at] = ' ';
  }
  return text;
}

std::vector<std::string> split_at_spaces(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t from = text.find_first_not_of(' '); from != std::string::npos;
       from = text.find_first_not_of(' ', from)) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    words.push_back(text.substr(from, to - from));
    from = to;
  }
  return words;
}

}  // namespace

std::string generated_answer(std::string_view continuation) {
  return std::string(trimmed(continuation.substr(0, continuation.find('\n'))));
}

std::string normalized_answer(std::string_view answer) {
  static const text_replacement lower_case("[\\s\\S]+", "\\L$0");
  static const text_replacement articles("\\b(a|an|the)\\b", " ");
  static const text_replacement blanks("\\s+", " ");
  std::string text = lower_case.in(with_valid_utf8(std::string(answer)));
  constexpr std::string_view punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  std::erase_if(text, [&](char c) { return punctuation.find(c) != std::string_view::npos; });
  return std::string(trimmed(blanks.in(articles.in(text))));
}

squad_score score_answer(std::string_view prediction, std::string_view gold, squad_rules rules) {
  const std::string said = normalized_answer(prediction);
  const std::string right = normalized_answer(gold);
  const std::vector<std::string> said_words = split_at_spaces(said);
  const std::vector<std::string> right_words = split_at_spaces(right);
  const double exact = said == right ? 1 : 0;
  if (said_words.empty() || right_words.empty()) {
    // Two answers without a word: version 1.1's script counts no shared word, 2.0's says that they agree.
    return {exact, rules == squad_rules::v2 ? exact : 0};
  }
  std::map<std::string, std::size_t> left;
  for (const std::string& word : right_words) {
    ++left[word];
  }
  double shared = 0;
  for (const std::string& word : said_words) {
    if (left[word] > 0) {
      --left[word];
      ++shared;
    }
  }
  // 2 p r / (p + r) with p = shared / said and r = shared / right.
  return {exact, 2 * shared / static_cast<double>(said_words.size() + right_words.size())};
}

squad_rules rules_of(std::span<const sample> samples) {
  return std::any_of(samples.begin(), samples.end(), [](const sample& each) { return each.choices.empty(); })
             ? squad_rules::v2
             : squad_rules::v1;
}

squad_score score_prediction(std::string_view prediction, std::span<const std::string> gold,
                             squad_rules rules) {
  const std::string said = normalized_answer(prediction);
  const bool v2 = rules == squad_rules::v2;
  const bool abstains = v2 && (said.empty() || said == "not in background");
  // Version 2.0's script passes over gold answers without a word; a question that has no other has none.
  const bool answerable = std::any_of(gold.begin(), gold.end(), [&](const std::string& each) {
    return !v2 || !normalized_answer(each).empty();
  });
  if (!answerable || abstains) {
    const double right = !answerable && abstains ? 1 : 0;
    return {right, right};
  }
  squad_score best;
  for (const std::string& each : gold) {
    if (v2 && normalized_answer(each).empty()) continue;
    const squad_score one = score_answer(prediction, each, rules);
    best = {std::max(best.exact_match, one.exact_match), std::max(best.f1, one.f1)};
  }
  return best;
}

}  // namespace act::tasks
