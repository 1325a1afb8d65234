// The tail of Student's t distribution, for paired tests of means.
#pragma once

namespace act::statistics {

/// The probability that a t variable of `freedom` degrees of freedom is at least `t`. By the regularised
/// incomplete beta function (Abramowitz and Stegun 26.7.1, its continued fraction 26.5.8): relative error
/// below 1e-9 down to 1e-300. Infinite `t` gives 0 or 1. Preconditions: freedom > 0, no NaN.
[[nodiscard]] double student_t_upper_tail(double t, double freedom) noexcept;

}  // namespace act::statistics
