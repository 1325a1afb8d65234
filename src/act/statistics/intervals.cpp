#include <act/statistics/intervals.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace act::statistics {

interval wilson_interval(std::size_t correct, std::size_t n) noexcept {
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
