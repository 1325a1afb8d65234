// Scoring by one greedy token, as the authors do: which tokens of a vocabulary are which answer. A token is
// an answer when the text it decodes to, trimmed, is the answer, trimmed: with byte-level tokenizers a letter
// is generated as " A", with others as "A". The logits are greedy_logits.hpp.
#pragma once

#include <act/runtime/scored_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

/// The tokens that decode to a text, of one tokenizer; the tokenizer isn't kept. Making it decodes the
/// vocabulary once (tens of milliseconds), and it holds that text.
class tokens_by_text {
 public:
  explicit tokens_by_text(const runtime::tokenizer& by);

  /// Tokens whose text, trimmed, is `text`, trimmed; ascending. None for a blank text.
  [[nodiscard]] std::vector<runtime::token_id> saying(std::string_view text) const;

 private:
  std::map<std::string, std::vector<runtime::token_id>, std::less<>> tokens_;
};

/// The tokens of each of `words`. Throws error (invalid_input) at `where` for a word that no token spells,
/// and for two that are the same but for blanks; `otherwise` is what the message recommends to use.
[[nodiscard]] runtime::answer_tokens greedy_answers(const tokens_by_text& vocabulary,
                                                    const std::vector<std::string>& words,
                                                    const std::string& where, const std::string& otherwise);

}  // namespace act::tasks
