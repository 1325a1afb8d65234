// How small a difference two runs over the same samples could have shown: what a result that shows none says.
#pragma once

#include <cstddef>

namespace act::statistics {

/// The smallest true difference of two accuracies that McNemar's test at 5 %, two-sided, finds in four of
/// five sets of n samples on which a share `changed` of the answers changes from right to wrong or back
/// (Connor 1987, by the normal approximation):
///
///   difference = (z(0.975) sqrt(c) + z(0.8) sqrt(c - difference^2)) / sqrt(n),   c = max(changed,
///   difference)
///
/// and no less than 6 / n, since six changes, all one way, are the fewest that the exact test calls more than
/// chance. 1 where even that can't be (n < 6). Precondition: changed within 0 .. 1.
[[nodiscard]] double smallest_detectable_difference(std::size_t n, double changed) noexcept;

}  // namespace act::statistics
