#include <act/runtime/architecture/rotary_scaling.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

namespace act::runtime {

void scale_linear(std::span<float> frequencies, double factor) noexcept {
  for (float& each : frequencies)
    each /= static_cast<float>(factor);
}

void scale_llama3(std::span<float> frequencies, const llama3_scaling& by) noexcept {
  const double longest = by.original_context / by.low_frequency_factor;
  const double shortest = by.original_context / by.high_frequency_factor;
  for (float& each : frequencies) {
    const double frequency = static_cast<double>(each);
    const double wave = 2 * std::numbers::pi / frequency;
    if (wave < shortest) continue;
    if (wave > longest) {
      each = static_cast<float>(frequency / by.factor);
      continue;
    }
    const double kept = (by.original_context / wave - by.low_frequency_factor) /
                        (by.high_frequency_factor - by.low_frequency_factor);
    each = static_cast<float>((1 - kept) * frequency / by.factor + kept * frequency);
  }
}

void scale_yarn(std::span<float> frequencies, float theta, const yarn_scaling& by) noexcept {
  const auto dims = static_cast<double>(2 * frequencies.size());
  // The dimension that makes so many turns within the original context.
  const auto dimension_of = [&](double turns) {
    return dims * std::log(by.original_context / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(static_cast<double>(theta)));
  };
  double first = dimension_of(by.beta_fast);
  double last = dimension_of(by.beta_slow);
  if (by.truncate) {
    first = std::floor(first);
    last = std::ceil(last);
  }
  first = std::max(first, 0.0);
  last = std::min(last, dims - 1);
  if (first == last) last += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double divided = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
    const double frequency = static_cast<double>(frequencies[i]);
    frequencies[i] = static_cast<float>(frequency / by.factor * divided + frequency * (1 - divided));
  }
}

double yarn_magnitude(double factor, double weight) noexcept {
  return factor <= 1 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

void scale_each(std::span<float> frequencies, std::span<const float> factors) noexcept {
  for (std::size_t i = 0; i < frequencies.size(); ++i)
    frequencies[i] /= factors[i];
}

double longrope_magnitude(double factor, double original_context) noexcept {
  return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original_context));
}

}  // namespace act::runtime
