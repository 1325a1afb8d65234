// Wilson's interval against scipy's.
#include "golden_statistics.hpp"

#include <act/statistics/intervals.hpp>

#include <doctest/doctest.h>

TEST_CASE("Wilson intervals equal scipy's") {
  for (const auto& golden : act_test::golden_statistics("wilson")) {
    CAPTURE(golden);
    const act::statistics::interval found =
        act::statistics::wilson_interval(golden.at("correct"), golden.at("n"));
    CHECK(found.lo == doctest::Approx(golden.at("lo").get<double>()).epsilon(1e-12));
    CHECK(found.hi == doctest::Approx(golden.at("hi").get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("an interval stays within 0 and 1 and holds the estimate") {
  for (std::size_t n = 1; n < 60; ++n) {
    for (std::size_t correct = 0; correct <= n; ++correct) {
      const act::statistics::interval found = act::statistics::wilson_interval(correct, n);
      const double p = static_cast<double>(correct) / static_cast<double>(n);
      CHECK((0 <= found.lo && found.lo <= p && p <= found.hi && found.hi <= 1));
    }
  }
  CHECK(act::statistics::wilson_interval(0, 0).lo == 0);
  CHECK(act::statistics::wilson_interval(0, 0).hi == 1);
  CHECK(act::statistics::wilson_interval(0, 7).lo == 0);
  CHECK(act::statistics::wilson_interval(7, 7).hi == 1);
}
