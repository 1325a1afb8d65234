// The ways in which models stretch their rotary positions beyond the length they were trained with: from the
// unscaled frequencies to those that are used. Formulas as in `transformers`, in float where it has floats.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {

/// Every frequency divided by `factor` (position interpolation, Chen et al. 2023).
void scale_linear(std::span<float> frequencies, double factor) noexcept;

/// Llama 3.1's: slow frequencies divided by `factor`, fast ones kept, those between mixed.
struct llama3_scaling {
  double factor = 8;
  double low_frequency_factor = 1;   ///< waves longer than original_context / this are slow
  double high_frequency_factor = 4;  ///< shorter than original_context / this are fast; isn't the other
  double original_context = 8192;
};
void scale_llama3(std::span<float> frequencies, const llama3_scaling& by) noexcept;

/// YaRN (Peng et al. 2023): dimensions that turn often keep their frequency, those that turn seldom are
/// divided, a ramp between.
struct yarn_scaling {
  double factor = 1;
  double original_context = 2048;
  double beta_fast = 32;  ///< turns within the original context from which on a frequency is kept
  double beta_slow = 1;   ///< turns up to which it is divided
  bool truncate = true;   ///< the ramp begins and ends at whole dimensions
};
void scale_yarn(std::span<float> frequencies, float theta, const yarn_scaling& by) noexcept;

/// What YaRN multiplies cosines and sines by: 1 + 0.1 weight ln(factor), 1 for factors up to 1.
[[nodiscard]] double yarn_magnitude(double factor, double weight = 1) noexcept;

/// LongRoPE (Ding et al. 2024): each frequency divided by its own factor. Of the same length.
void scale_each(std::span<float> frequencies, std::span<const float> factors) noexcept;

/// What LongRoPE multiplies cosines and sines by: sqrt(1 + ln(factor) / ln(original_context)).
[[nodiscard]] double longrope_magnitude(double factor, double original_context) noexcept;

}  // namespace act::runtime
