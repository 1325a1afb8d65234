// The next token out of the logits: the most likely one, or one drawn with temperature, top-k and top-p. The
// order of the three is transformers'.
#pragma once

#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace act::runtime {

struct sampling_options {
  double temperature = 0;  ///< logits are divided by it; 0 = greedy, and the others don't matter
  std::size_t top_k = 0;   ///< only the k most likely tokens; 0 = all
  double top_p = 1;        ///< only the most likely tokens that together reach this probability, 0 < p <= 1
  std::uint64_t seed = 0;

  [[nodiscard]] problem validate() const noexcept;
};

struct token_probability {
  token_id token = 0;
  double probability = 0;
};

/// What can be drawn, most likely first (the smaller id where two are alike), probabilities summing to 1:
/// softmax(logits / temperature), cut to the top k, then to the fewest that reach top_p of what is left.
/// Greedy: the one most likely token. Throws `error`: invalid_option; invalid_input for no logits, or a
/// largest one that isn't a finite number. Cost: O(n log n), O(n) for greedy and n >> top_k.
[[nodiscard]] std::vector<token_probability> candidates(std::span<const float> logits,
                                                        const sampling_options& options);

/// Draws tokens, each with one step of splitmix64: the same seed and logits give the same tokens on every
/// machine whose exp agrees.
class sampler {
 public:
  /// Throws `error` (invalid_option).
  explicit sampler(const sampling_options& options = {});

  /// Throws and costs as `candidates`.
  [[nodiscard]] token_id operator()(std::span<const float> logits);

 private:
  sampling_options options_;
  splitmix64 draw_;
};

}  // namespace act::runtime
