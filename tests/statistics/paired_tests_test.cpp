// McNemar's exact test against scipy's binomial test.
#include "golden_statistics.hpp"

#include <act/error.hpp>
#include <act/statistics/paired_tests.hpp>

#include <doctest/doctest.h>

TEST_CASE("exact McNemar tests equal scipy's") {
  for (const auto& golden : act_test::golden_statistics("mcnemar")) {
    CAPTURE(golden);
    CHECK(act::statistics::mcnemar_exact(golden.at("gained"), golden.at("lost")) ==
          doctest::Approx(golden.at("p").get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("the test is symmetric, within 0 and 1, and stable for large counts") {
  for (std::size_t gained = 0; gained < 40; ++gained) {
    for (std::size_t lost = 0; lost < 40; ++lost) {
      const double p = act::statistics::mcnemar_exact(gained, lost);
      CHECK(p == act::statistics::mcnemar_exact(lost, gained));
      CHECK((p > 0 && p <= 1));
    }
  }
  CHECK(act::statistics::mcnemar_exact(500000, 500000) == 1);
  // Normal approximation with continuity correction: z = (1000 - 1) / sqrt(999000).
  CHECK(act::statistics::mcnemar_exact(500000, 499000) == doctest::Approx(0.3175456).epsilon(1e-4));
  CHECK(act::statistics::mcnemar_exact(1000000, 0) == 0);  // below the smallest double
}

TEST_CASE("pairs are counted") {
  const act::statistics::outcomes before = {true, true, false, false, false},
                                  after = {true, false, true, true, false};
  const act::statistics::paired_counts counts = act::statistics::count_pairs(before, after);
  CHECK(counts.both_right == 1);
  CHECK(counts.lost == 1);
  CHECK(counts.gained == 2);
  CHECK(counts.both_wrong == 1);
  CHECK_THROWS_WITH_AS((void)act::statistics::count_pairs(before, {true}),
                       "after: must have as many samples as before", act::error);
}
