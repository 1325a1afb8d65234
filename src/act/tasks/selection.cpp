#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/tasks/selection.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace act::tasks {

std::vector<std::size_t> select(std::size_t n, std::size_t k, std::uint64_t seed) {
  if (k > n) {
    throw error(error_code::invalid_option, "selection",
                "can't choose " + std::to_string(k) + " of " + std::to_string(n) + " samples; ask for fewer");
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  runtime::splitmix64 draw(seed);
  for (std::size_t i = 0; i < k; ++i) {
    std::swap(order[i], order[i + static_cast<std::size_t>(draw() % (n - i))]);
  }
  order.resize(k);
  return order;
}

std::vector<std::size_t> select_limited(std::size_t n, std::int64_t count, std::uint64_t seed) {
  const std::size_t k = count <= 0 ? n : std::min(n, static_cast<std::size_t>(count));
  if (k == n) {
    std::vector<std::size_t> everything(n);
    std::iota(everything.begin(), everything.end(), std::size_t{0});
    return everything;
  }
  std::vector<std::size_t> chosen = select(n, k, seed);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace act::tasks
