// What of a text, and of a vocabulary, is scored: plain values, for whoever prepares samples without running
// a model. The scoring is log_probabilities.hpp and greedy_logits.hpp.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <vector>

namespace act::runtime {

/// A text of which tokens [first_scored, end) count, each by its log-probability after those before it.
struct scored_text {
  std::vector<token_id> tokens;
  std::size_t first_scored = 1;  ///< 1 .. tokens.size() - 1

  friend bool operator==(const scored_text&, const scored_text&) = default;
};

/// The tokens that count as each answer; no token counts as two.
using answer_tokens = std::vector<std::vector<token_id>>;

}  // namespace act::runtime
