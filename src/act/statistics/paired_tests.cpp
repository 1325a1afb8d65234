#include <act/error.hpp>
#include <act/statistics/paired_tests.hpp>

#include <algorithm>
#include <cmath>

namespace act::statistics {

paired_counts count_pairs(const outcomes& before, const outcomes& after) {
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

double mcnemar_exact(std::size_t gained, std::size_t lost) noexcept {
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
