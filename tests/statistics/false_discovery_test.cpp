// Benjamini and Hochberg's procedure: against numpy, and by trying every number of believed tests.
#include <doctest/doctest.h>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/false_discovery.hpp>

#include <cstddef>
#include <vector>

#include "../search/selection/golden_selection.hpp"

TEST_CASE("the believed tests are numpy's") {
  for (const nlohmann::json& each : act_test::golden_selection().at("benjamini_hochberg")) {
    CHECK(act::statistics::benjamini_hochberg(each.at("p").get<std::vector<double>>(),
                                              each.at("q").get<double>()) ==
          each.at("believed").get<std::vector<std::size_t>>());
  }
  CHECK(act::statistics::benjamini_hochberg({}, 0.1).empty());
}

TEST_CASE("the largest set whose every p-value is at most its size's bound") {
  act::runtime::splitmix64 draw(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> p(1 + draw() % 12);
    for (double& each : p)
      each = static_cast<double>(draw() % 40) / 40;  // with ties
    const double q = 0.05 + static_cast<double>(draw() % 10) / 20;
    // k tests are believed when at least k have p <= k q / m; the largest such k holds.
    std::vector<std::size_t> expected;
    for (std::size_t k = 1; k <= p.size(); ++k) {
      std::vector<std::size_t> below;
      for (std::size_t i = 0; i < p.size(); ++i) {
        if (p[i] <= q * static_cast<double>(k) / static_cast<double>(p.size())) below.push_back(i);
      }
      if (below.size() >= k) expected = below;
    }
    CHECK(act::statistics::benjamini_hochberg(p, q) == expected);
  }
}
