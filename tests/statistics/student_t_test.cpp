// Student's t, false discovery and folds: against scipy, by brute force, and what folds promise.
#include <doctest/doctest.h>
#include <act/statistics/student_t.hpp>

#include <limits>

#include "../search/selection/golden_selection.hpp"

TEST_CASE("the upper tail of t is scipy's") {
  for (const nlohmann::json& each : act_test::golden_selection().at("student_t")) {
    const double t = each[0].get<double>(), freedom = each[1].get<double>();
    CAPTURE(t);
    CAPTURE(freedom);
    CHECK(act::statistics::student_t_upper_tail(t, freedom) ==
          doctest::Approx(each[2].get<double>()).epsilon(1e-9));
  }
  CHECK(act::statistics::student_t_upper_tail(std::numeric_limits<double>::infinity(), 4) == 0);
  CHECK(act::statistics::student_t_upper_tail(-std::numeric_limits<double>::infinity(), 4) == 1);
}
