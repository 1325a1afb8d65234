#include <act/runtime/splitmix64.hpp>
#include <act/statistics/folds.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace act::statistics {

std::vector<std::size_t> stratified_folds(std::span<const std::size_t> strata, std::size_t folds,
                                          std::uint64_t seed) {
  std::vector<std::size_t> order(strata.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  runtime::splitmix64 draw(seed);
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[static_cast<std::size_t>(draw() % i)]);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return strata[a] < strata[b]; });
  std::vector<std::size_t> fold_of(strata.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    fold_of[order[i]] = i % folds;
  return fold_of;
}

}  // namespace act::statistics
