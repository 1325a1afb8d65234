// A sample as the model sees it: token ids of its prompt, and of what is scored at its end.
#pragma once

#include <act/runtime/scored_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <cstddef>
#include <vector>

namespace act::tasks {

/// Its answers are `words`, compared by their logits after the prompt, or `options`, compared by their own
/// likelihood, or `greedy_tokens`, one of which the greedy token after the prompt may be; the others are
/// empty.
struct prepared_sample {
  std::size_t index = 0;  ///< position among the samples of its file
  std::size_t label = 0;  ///< the right one among its answers
  std::vector<runtime::token_id> prompt;
  std::vector<runtime::token_id> words;            ///< last sub-token of each label word or letter
  std::vector<runtime::scored_text> options = {};  ///< the prompt with each option; the option is scored
  std::vector<std::size_t> option_bytes = {};      ///< length of each option's text
  runtime::answer_tokens greedy_tokens = {};       ///< of each answer, the tokens that say it
  /// redistribution::subset's, or a span's, positions in the prompt, or in each option's text; empty when not
  /// asked for
  std::vector<std::size_t> subset = {};
  std::vector<std::vector<std::size_t>> option_subsets = {};

  /// Whether it is scored by the greedy token, which may be none of the answers.
  [[nodiscard]] bool greedy() const noexcept { return !greedy_tokens.empty(); }
  [[nodiscard]] std::size_t answers() const noexcept {
    if (greedy()) return greedy_tokens.size();
    return options.empty() ? words.size() : options.size();
  }
  /// Numbers in its row of scores: one an answer, and with greedy the largest logit of any other token, last.
  /// The prediction is the largest number's place, so that an answer's number says right or wrong.
  [[nodiscard]] std::size_t score_count() const noexcept { return answers() + (greedy() ? 1 : 0); }
  /// Tokens that scoring it runs through a model, at most.
  [[nodiscard]] std::size_t tokens() const noexcept {
    std::size_t count = options.empty() ? prompt.size() : 0;
    for (const runtime::scored_text& option : options)
      count += option.tokens.size();
    return count;
  }
};

}  // namespace act::tasks
