#include <act/statistics/false_discovery.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::statistics {

std::vector<std::size_t> benjamini_hochberg(std::span<const double> p, double q) {
  std::vector<double> ascending(p.begin(), p.end());
  std::sort(ascending.begin(), ascending.end());
  double largest = -1;
  for (std::size_t k = 0; k < ascending.size(); ++k) {
    const double bound = q * static_cast<double>(k + 1) / static_cast<double>(ascending.size());
    if (ascending[k] <= bound) largest = ascending[k];
  }
  std::vector<std::size_t> believed;
  for (std::size_t test = 0; test < p.size(); ++test) {
    if (p[test] <= largest) believed.push_back(test);
  }
  return believed;
}

}  // namespace act::statistics
