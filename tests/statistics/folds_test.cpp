// Folds: their sizes, each stratum's share in them, and that a seed fixes them.
#include <doctest/doctest.h>
#include <act/statistics/folds.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

TEST_CASE("folds and each stratum's share in them differ by at most one") {
  std::vector<std::size_t> strata;
  for (std::size_t i = 0; i < 83; ++i)
    strata.push_back(i % 7 == 0 ? 2 : i % 3);
  for (const std::size_t folds : {1UL, 2UL, 5UL, 10UL}) {
    const std::vector<std::size_t> fold_of = act::statistics::stratified_folds(strata, folds, 4);
    std::vector<std::vector<std::size_t>> count(4, std::vector<std::size_t>(folds));
    for (std::size_t i = 0; i < strata.size(); ++i) {
      REQUIRE(fold_of[i] < folds);
      ++count[strata[i]][fold_of[i]];
      ++count[3][fold_of[i]];
    }
    for (const std::vector<std::size_t>& each : count) {
      const auto [least, most] = std::minmax_element(each.begin(), each.end());
      CHECK(*most - *least <= 1);
    }
  }
}

TEST_CASE("the same seed gives the same folds, another one others") {
  const std::vector<std::size_t> strata(40, 0);
  const auto folds = [&](std::uint64_t seed) { return act::statistics::stratified_folds(strata, 5, seed); };
  CHECK(folds(1) == folds(1));
  CHECK(folds(1) != folds(2));
  CHECK(act::statistics::stratified_folds({}, 5, 1).empty());
}
