#include <act/error.hpp>
#include <act/runtime/scored_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/greedy_answers.hpp>
#include <act/tasks/readers/lines.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

tokens_by_text::tokens_by_text(const runtime::tokenizer& by) {
  for (std::size_t id = 0; id < by.vocabulary_size(); ++id) {
    const runtime::token_id token = static_cast<runtime::token_id>(id);
    try {
      tokens_[std::string(trimmed(by.decode(std::span(&token, 1), true)))].push_back(token);
    } catch (const error&) {  // an id that the vocabulary leaves out: no model should say it
    }
  }
}

std::vector<runtime::token_id> tokens_by_text::saying(std::string_view text) const {
  const std::string_view wanted = trimmed(text);
  const auto found = tokens_.find(wanted);
  return wanted.empty() || found == tokens_.end() ? std::vector<runtime::token_id>() : found->second;
}

runtime::answer_tokens greedy_answers(const tokens_by_text& vocabulary, const std::vector<std::string>& words,
                                      const std::string& where, const std::string& otherwise) {
  runtime::answer_tokens answers;
  for (const std::string& word : words) {
    answers.push_back(vocabulary.saying(word));
    if (answers.back().empty()) {
      throw error(error_code::invalid_input, where,
                  "the answer '" + word +
                      "' is no single token of this tokenizer, so no greedy token can be " + "it; use " +
                      otherwise);
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
