// Did calibration change which samples are right, beyond chance? For two runs over the same samples.
#pragma once

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
[[nodiscard]] paired_counts count_pairs(const outcomes& before, const outcomes& after);

/// McNemar's test, exact and two-sided: the probability that a fair coin thrown gained + lost times falls at
/// least as unevenly. 1 when nothing changed. Of the binomial terms only the largest comes from logarithms
/// (lgamma), the others from it by their exact ratios, so nothing under- or overflows: relative error below
/// 1e-9 up to a million pairs. Cost: O(min(gained, lost)) at most, terms too small to matter are left out.
[[nodiscard]] double mcnemar_exact(std::size_t gained, std::size_t lost) noexcept;

}  // namespace act::statistics
