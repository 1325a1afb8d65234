// A sample as the model sees it: token ids of its prompt, and of the words that are scored at its end.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <cstddef>
#include <vector>

namespace act::inline ACT_ABI {

struct prepared_sample {
  std::size_t index = 0;  ///< position among the samples of its file
  std::size_t label = 0;  ///< the right one among `words`
  std::vector<token_id> prompt;
  std::vector<token_id> words;  ///< last sub-token of each label word or letter
};

}  // namespace act::inline ACT_ABI
