// How sure a measured accuracy is. For one run over independent samples; runs over the same samples with
// several seeds need the bootstrap (bootstrap.hpp), because their outcomes aren't independent.
#pragma once

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
[[nodiscard]] interval wilson_interval(std::size_t correct, std::size_t n) noexcept;

}  // namespace act::statistics
