// A model before its training: the same architecture with random weights. For telling what a model has
// learned from what its architecture gives anyway (inspection/predictability.hpp).
#pragma once

#include <act/runtime/model.hpp>

#include <cstdint>

namespace act::runtime {

/// The deviation of random weights: what `transformers` takes where a model's configuration says nothing.
inline constexpr float random_weight_deviation = 0.02F;

/// `like` with every matrix, the embedding's and learned positions' among them, drawn anew: independent
/// normal numbers of mean 0 and random_weight_deviation, rounded to float16. Norms are 1, biases 0; the
/// output matrix is the embedding. The same seed gives the same weights. Memory: 2 bytes a number; cost: some
/// 10 nanoseconds each.
[[nodiscard]] model with_random_weights(const model& like, std::uint64_t seed);

}  // namespace act::runtime
