// A sample as the model sees it: token ids of its prompt, and of what is scored at its end.
#pragma once

#include <act/runtime/log_probabilities.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <cstddef>
#include <vector>

namespace act::inline ACT_ABI {

/// Its answers are either `words`, compared by their logits after the prompt, or `options`, compared by their
/// own likelihood; the other one is empty.
struct prepared_sample {
  std::size_t index = 0;  ///< position among the samples of its file
  std::size_t label = 0;  ///< the right one among its answers
  std::vector<token_id> prompt;
  std::vector<token_id> words;                 ///< last sub-token of each label word or letter
  std::vector<scored_text> options = {};       ///< the prompt with each option; the option is scored
  std::vector<std::size_t> option_bytes = {};  ///< length of each option's text

  [[nodiscard]] std::size_t answers() const noexcept {
    return options.empty() ? words.size() : options.size();
  }
  /// Tokens that scoring it runs through a model, at most.
  [[nodiscard]] std::size_t tokens() const noexcept {
    std::size_t count = options.empty() ? prompt.size() : 0;
    for (const scored_text& option : options)
      count += option.tokens.size();
    return count;
  }
};

}  // namespace act::inline ACT_ABI
