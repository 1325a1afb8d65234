#include <act/statistics/detectable_difference.hpp>
#include <act/statistics/intervals.hpp>

#include <algorithm>
#include <cmath>

namespace act::statistics {

double smallest_detectable_difference(std::size_t n, double changed) noexcept {
  constexpr double quantile_80 = 0.8416212335729143, fewest = 6;
  const double samples = static_cast<double>(n);
  if (samples < fewest) return 1;
  // What is needed for a difference falls short of it from some difference on: halve the range.
  const auto is_shown = [&](double difference) {
    const double share = std::max(changed, difference);
    const double spread = std::sqrt(std::max(0.0, share - difference * difference));
    return difference * std::sqrt(samples) >= normal_quantile_975 * std::sqrt(share) + quantile_80 * spread;
  };
  if (!is_shown(1)) return 1;
  double below = 0, above = 1;
  for (int step = 0; step < 60; ++step) {
    const double middle = (below + above) / 2;
    (is_shown(middle) ? above : below) = middle;
  }
  return std::max(above, fewest / samples);
}

}  // namespace act::statistics
