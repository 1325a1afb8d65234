// How sure a measured accuracy is. For one run over independent samples; runs over the same samples with
// several seeds need the bootstrap (bootstrap.hpp), because their outcomes aren't independent.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace act::statistics {

/// A 95 % interval; both ends belong to it.
struct interval {
  double lo = 0;
  double hi = 0;
};

/// 97.5 % quantile of the standard normal distribution.
inline constexpr double normal_quantile_975 = 1.959963984540054;

/// Wilson's score interval of a proportion (Wilson 1927), 95 %: keeps its coverage near 0 and 1 and in small
/// sets, where the usual one doesn't. [0, 1] for n = 0. Precondition: correct <= n.
[[nodiscard]] inline interval wilson_interval(std::size_t correct, std::size_t n) noexcept {
  if (n == 0) {
    return {0, 1};
  }
  const double count = static_cast<double>(n);
  const double p = static_cast<double>(correct) / count;
  const double z2 = normal_quantile_975 * normal_quantile_975;
  const double centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half =
      normal_quantile_975 / (1 + z2 / count) * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  // At 0 and n the ends are 0 and 1 exactly; rounding would miss them by an ulp.
  return {correct == 0 ? 0.0 : std::max(0.0, centre - half),
          correct == n ? 1.0 : std::min(1.0, centre + half)};
}

}  // namespace act::statistics
