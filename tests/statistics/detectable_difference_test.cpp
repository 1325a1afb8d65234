// The smallest difference that a set could have shown: drawn sets show it four times in five.
#include <act/statistics/detectable_difference.hpp>
#include <act/statistics/paired_tests.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <random>

using act::statistics::smallest_detectable_difference;

TEST_CASE("McNemar's test finds the smallest detectable difference in four of five drawn sets") {
  std::mt19937 random(1);
  for (const std::size_t n : {300UL, 1000UL, 3000UL}) {
    for (const double changed : {0.05, 0.2, 0.5}) {
      const double difference = smallest_detectable_difference(n, changed);
      REQUIRE(difference < changed);
      std::discrete_distribution<int> answer(
          {1 - changed, (changed + difference) / 2, (changed - difference) / 2});
      int found = 0;
      const int sets = 2000;
      for (int set = 0; set < sets; ++set) {
        std::size_t counts[3] = {};
        for (std::size_t i = 0; i < n; ++i)
          ++counts[answer(random)];
        found += act::statistics::mcnemar_exact(counts[1], counts[2]) <= 0.05 ? 1 : 0;
      }
      INFO(n << " samples, " << changed << " changed, difference " << difference << ": " << found);
      CHECK(found > sets * 0.73);  // the exact test is a little harder to convince than the approximation
      CHECK(found < sets * 0.84);
    }
  }
}

TEST_CASE(
    "it falls with the samples, grows with the changes, and six changes are the fewest that say anything") {
  CHECK(smallest_detectable_difference(5, 0.5) == 1);
  CHECK(smallest_detectable_difference(0, 0) == 1);
  double before = 1;
  for (const std::size_t n : {10UL, 100UL, 1000UL, 10000UL, 100000UL}) {
    const double now = smallest_detectable_difference(n, 0.1);
    CHECK(now < before);
    CHECK(now >= 6.0 / static_cast<double>(n));
    before = now;
  }
  CHECK(smallest_detectable_difference(500, 0.1) < smallest_detectable_difference(500, 0.4));
  // With no change at all, all that there is goes one way: c = difference.
  const double alone = smallest_detectable_difference(1000, 0);
  CHECK(alone * std::sqrt(1000.0) == doctest::Approx(1.959963984540054 * std::sqrt(alone) +
                                                     0.8416212335729143 * std::sqrt(alone - alone * alone))
                                         .epsilon(1e-6));
}
