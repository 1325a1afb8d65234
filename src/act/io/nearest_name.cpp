#include <act/io/nearest_name.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::io {

namespace {

// Letters to insert, leave out, replace, or exchange with the next.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view given, std::span<const std::string> known) {
  const std::string_view name = given.substr(0, 64);
  std::string best;
  for (const std::string& each : known) {  // what it begins: --strat
    const std::size_t letters = name.size() - std::min(name.find_first_not_of('-'), name.size());
    if (letters >= 3 && each.starts_with(name) && (best.empty() || each.size() < best.size())) best = each;
  }
  if (!best.empty()) return best;
  std::size_t fewest = 0;
  for (const std::string& each : known) {
    const std::size_t many = edits(name, each);
    if (3 * many <= each.size() && (best.empty() || many < fewest)) {
      best = each;
      fewest = many;
    }
  }
  return best;
}

}  // namespace act::io
