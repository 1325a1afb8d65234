// Accuracy without the label prior against numpy's, and what it is for.
#include "golden_statistics.hpp"

#include <act/error.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/prior_corrected.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <vector>

using act::statistics::score_table;

TEST_CASE("accuracy without the label prior, its interval and its difference equal the golden ones") {
  for (const auto& golden : act_test::golden_statistics("prior_corrected")) {
    const auto labels = golden.at("labels").get<std::vector<std::size_t>>();
    const auto baseline = golden.at("baseline").get<std::vector<score_table>>();
    const auto calibrated = golden.at("calibrated").get<std::vector<score_table>>();
    const act::statistics::bootstrap_options options{golden.at("resamples"), golden.at("seed")};
    CHECK(act::statistics::prior_corrected_accuracy(baseline, labels).value() ==
          doctest::Approx(golden.at("accuracy").get<double>()).epsilon(1e-12));
    const auto alone = act::statistics::prior_corrected_interval(baseline, labels, options);
    const auto between =
        act::statistics::prior_corrected_difference_interval(baseline, calibrated, labels, options);
    REQUIRE(alone.has_value());
    REQUIRE(between.has_value());
    const auto check = [](const act::statistics::interval& found, const auto& expected) {
      CHECK(found.lo == doctest::Approx(expected[0].template get<double>()).epsilon(1e-12));
      CHECK(found.hi == doctest::Approx(expected[1].template get<double>()).epsilon(1e-12));
    };
    check(*alone, golden.at("interval"));
    check(*between, golden.at("difference"));
  }
}

TEST_CASE("one label for everything is seen through where the scores know more, and not where they don't") {
  std::vector<std::size_t> labels;
  score_table knows, knows_nothing;
  for (std::size_t i = 0; i < 40; ++i) {
    labels.push_back(i % 2);
    // Always far over the other, and a little more so where it is right.
    knows.push_back({0, 5 + (labels[i] == 1 ? 0.1 : -0.1)});
    knows_nothing.push_back({0, 5 + (i % 4 < 2 ? 0.1 : -0.1)});
    CHECK(act::statistics::predicted_label(knows.back()) == 1);
    CHECK(act::statistics::predicted_label(knows_nothing.back()) == 1);
  }
  CHECK(act::statistics::prior_corrected_accuracy({&knows, 1}, labels) == 1.0);
  CHECK(act::statistics::prior_corrected_accuracy({&knows_nothing, 1}, labels) == 0.5);
  // Neither a prior nor a sample's own offset changes anything.
  score_table moved = knows;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i][0] += 100 + static_cast<double>(i % 7);
    moved[i][1] += static_cast<double>(i % 7);
  }
  CHECK(act::statistics::prior_corrected_accuracy({&moved, 1}, labels) == 1.0);
}

TEST_CASE("what has no accuracy without a prior") {
  const auto of = [](const score_table& scores, const std::vector<std::size_t>& labels) {
    return act::statistics::prior_corrected_accuracy({&scores, 1}, labels);
  };
  CHECK(!of({{1, 2}}, {1}));
  CHECK(!of({}, {}));
  CHECK(!act::statistics::prior_corrected_accuracy({}, std::vector<std::size_t>{0, 1}));
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(!of({{1, 2}, {1, -infinity}}, {1, 0}));
  CHECK(!of({{1, 2}, {1, std::numeric_limits<double>::quiet_NaN()}}, {1, 0}));
  CHECK_THROWS_AS(of({{1, 2}}, {1, 0}), act::error);
  CHECK_THROWS_AS(of({{1, 2}, {1, 2}}, {1, 2}), act::error);
  // More labels than resamples have room for: the number without an interval.
  const std::vector<std::size_t> labels{0, 1};
  const score_table wide(2, std::vector<double>(65, 0.0));
  CHECK(of(wide, labels) == 0.5);
  CHECK(!act::statistics::prior_corrected_interval({&wide, 1}, labels));
  CHECK(!act::statistics::prior_corrected_difference_interval({&wide, 1}, {&wide, 1}, labels));
}
