// Did calibration change which samples are right, beyond chance? For two runs over the same samples.
#pragma once

#include <act/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace act::statistics {

/// Of every sample of a run, whether it was answered right.
using outcomes = std::vector<bool>;

/// How two runs over the same samples compare.
struct paired_counts {
  std::size_t both_right = 0;
  std::size_t gained = 0;  ///< wrong before, right after
  std::size_t lost = 0;    ///< right before, wrong after
  std::size_t both_wrong = 0;
};

/// Throws error (invalid_shape) when the runs don't have equally many samples.
[[nodiscard]] inline paired_counts count_pairs(const outcomes& before, const outcomes& after) {
  if (before.size() != after.size()) {
    throw error(error_code::invalid_shape, "after", "must have as many samples as before");
  }
  paired_counts counts;
  for (std::size_t i = 0; i < before.size(); ++i) {
    ++(before[i] ? (after[i] ? counts.both_right : counts.lost)
                 : (after[i] ? counts.gained : counts.both_wrong));
  }
  return counts;
}

/// McNemar's test, exact and two-sided: the probability that a fair coin thrown gained + lost times falls at
/// least as unevenly. 1 when nothing changed. Of the binomial terms only the largest comes from logarithms
/// (lgamma), the others from it by their exact ratios, so nothing under- or overflows: relative error below
/// 1e-9 up to a million pairs. Cost: O(min(gained, lost)) at most, terms too small to matter are left out.
[[nodiscard]] inline double mcnemar_exact(std::size_t gained, std::size_t lost) noexcept {
  if (gained == lost) {
    return 1;
  }
  const double n = static_cast<double>(gained + lost);
  const double k = static_cast<double>(std::min(gained, lost));
  const double largest = std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0);
  double sum = 1, term = 1;
  for (double i = k; i > 0 && term > sum * 1e-18; --i) {
    term *= i / (n - i + 1);  // C(n, i - 1) / C(n, i)
    sum += term;
  }
  return std::min(1.0, 2 * std::exp(largest + std::log(sum)));
}

}  // namespace act::statistics
