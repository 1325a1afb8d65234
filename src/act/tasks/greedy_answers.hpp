// Scoring by one greedy token, as the authors do: which tokens of a vocabulary are which answer. A token is
// an answer when the text it decodes to, trimmed, is the answer, trimmed: with byte-level tokenizers a letter
// is generated as " A", with others as "A". The logits are greedy_logits.hpp.
#pragma once

#include <act/error.hpp>
#include <act/runtime/greedy_logits.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/readers/lines.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

/// The tokens that decode to a text, of one tokenizer; the tokenizer isn't kept. Making it decodes the
/// vocabulary once (tens of milliseconds), and it holds that text.
class tokens_by_text {
 public:
  explicit tokens_by_text(const runtime::tokenizer& by) {
    for (std::size_t id = 0; id < by.vocabulary_size(); ++id) {
      const runtime::token_id token = static_cast<runtime::token_id>(id);
      try {
        tokens_[std::string(trimmed(by.decode(std::span(&token, 1), true)))].push_back(token);
      } catch (const error&) {  // an id that the vocabulary leaves out: no model should say it
      }
    }
  }

  /// Tokens whose text, trimmed, is `text`, trimmed; ascending. None for a blank text.
  [[nodiscard]] std::vector<runtime::token_id> saying(std::string_view text) const {
    const std::string_view wanted = trimmed(text);
    const auto found = tokens_.find(wanted);
    return wanted.empty() || found == tokens_.end() ? std::vector<runtime::token_id>() : found->second;
  }

 private:
  std::map<std::string, std::vector<runtime::token_id>, std::less<>> tokens_;
};

/// The tokens of each of `words`. Throws error (invalid_input) at `where` for a word that no token spells,
/// and for two that are the same but for blanks; `otherwise` is the scoring that the message recommends.
[[nodiscard]] inline runtime::answer_tokens greedy_answers(const tokens_by_text& vocabulary,
                                                           const std::vector<std::string>& words,
                                                           const std::string& where,
                                                           const std::string& otherwise) {
  runtime::answer_tokens answers;
  for (const std::string& word : words) {
    answers.push_back(vocabulary.saying(word));
    if (answers.back().empty()) {
      throw error(error_code::invalid_input, where,
                  "the answer '" + word +
                      "' is no single token of this tokenizer, so no greedy token can be " +
                      "it; use --scoring " + otherwise);
    }
    for (std::size_t before = 0; before + 1 < answers.size(); ++before) {
      if (answers[before] == answers.back()) {
        throw error(error_code::invalid_input, where,
                    "the answers '" + words[before] + "' and '" + word +
                        "' are the same text but for blanks, so a greedy token can't tell them apart; use "
                        "other words");
      }
    }
  }
  return answers;
}

}  // namespace act::tasks
