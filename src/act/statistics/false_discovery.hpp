// Many tests at once: which of them to believe when a given share of false ones among the believed is
// bearable.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace act::statistics {

/// Benjamini and Hochberg's step-up procedure (1995): of m tests with these p-values, those whose p is at
/// most the largest p(k), k-th in ascending order, that is at most k q / m. The expected share of false ones
/// among them is at most q when the tests are independent or positively dependent. Ascending numbers of the
/// tests; O(m log m). Preconditions: p in [0, 1], no NaN.
[[nodiscard]] std::vector<std::size_t> benjamini_hochberg(std::span<const double> p, double q);

}  // namespace act::statistics
