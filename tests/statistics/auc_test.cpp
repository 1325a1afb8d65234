// AUC against scikit-learn's, its bootstrap against an independent one, and its limits.
#include "golden_statistics.hpp"

#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/auc.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>

namespace {

std::optional<double> auc_of(const act::statistics::score_table& scores,
                             const std::vector<std::size_t>& labels) {
  return act::statistics::auc({&scores, 1}, labels);
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("AUC equals scikit-learn's: ties, absent labels, uneven options") {
  for (const auto& golden : act_test::golden_statistics("auc")) {
    const auto found = auc_of(golden.at("scores"), golden.at("labels"));
    CAPTURE(golden);
    REQUIRE(found.has_value() == !golden.at("auc").is_null());
    if (found) {
      CHECK(*found == doctest::Approx(golden.at("auc").get<double>()).epsilon(1e-12));
    }
  }
}

TEST_CASE("bootstrap intervals of AUC and its difference equal the golden ones") {
  for (const auto& golden : act_test::golden_statistics("auc_bootstrap")) {
    const auto labels = golden.at("labels").get<std::vector<std::size_t>>();
    const auto baseline = golden.at("baseline").get<std::vector<act::statistics::score_table>>();
    const auto calibrated = golden.at("calibrated").get<std::vector<act::statistics::score_table>>();
    const act::statistics::bootstrap_options options{golden.at("resamples"), golden.at("seed")};
    const auto alone = act::statistics::auc_interval(baseline, labels, options);
    const auto difference = act::statistics::auc_difference_interval(baseline, calibrated, labels, options);
    REQUIRE(alone);
    REQUIRE(difference);
    CHECK(alone->lo == doctest::Approx(golden.at("interval")[0].get<double>()).epsilon(1e-12));
    CHECK(alone->hi == doctest::Approx(golden.at("interval")[1].get<double>()).epsilon(1e-12));
    CHECK(difference->lo == doctest::Approx(golden.at("difference")[0].get<double>()).epsilon(1e-12));
    CHECK(difference->hi == doctest::Approx(golden.at("difference")[1].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("a perfect order is 1, its reverse 0, all ties one half, a shift of one label changes nothing") {
  CHECK(*auc_of({{1, 0}, {0, 1}, {0, 2}}, {0, 1, 1}) == 1);
  CHECK(*auc_of({{0, 1}, {1, 0}, {2, 0}}, {0, 1, 1}) == 0);
  CHECK(*auc_of({{3, 3}, {1, 1}, {2, 2}}, {0, 1, 1}) == 0.5);
  CHECK(*auc_of({{1, 100}, {0, 101}, {0, 102}}, {0, 1, 1}) == 1);
}

TEST_CASE("NaN, no samples, no runs and one label alone have no AUC") {
  CHECK_FALSE(auc_of({{not_a_number, 0}, {0, 1}}, {0, 1}));
  CHECK_FALSE(auc_of({{0, 1, not_a_number}, {0, 1, 2}}, {0, 1}));
  CHECK_FALSE(auc_of({{-infinity, -infinity}, {0, 1}}, {0, 1}));
  CHECK_FALSE(auc_of({{0, 1, infinity}, {0, 1, 2}}, {0, 1}));
  CHECK(*auc_of({{0, -infinity}, {-infinity, 1}}, {0, 1}) == 1);
  CHECK_FALSE(auc_of({}, {}));
  CHECK_FALSE(act::statistics::auc({}, {}));
  CHECK_FALSE(auc_of({{0, 1}, {0, 1}}, {1, 1}));
  CHECK_FALSE(auc_of({{5}, {6}}, {0, 0}));
  const act::statistics::score_table broken = {{not_a_number, 0}, {0, 1}};
  const std::vector<std::size_t> labels = {0, 1};
  CHECK_FALSE(act::statistics::auc_interval({&broken, 1}, labels));
  const act::statistics::score_table whole = {{1, 0}, {0, 1}};
  CHECK_FALSE(act::statistics::auc_difference_interval({&whole, 1}, {&broken, 1}, labels));
}

TEST_CASE("sizes that don't fit are refused") {
  CHECK_THROWS_WITH_AS((void)auc_of({{0, 1}}, {0, 1}), "labels: must be as many as there are rows of scores",
                       act::error);
  CHECK_THROWS_WITH_AS((void)auc_of({{0, 1}}, {2}), "labels: must each have a score in its sample's row",
                       act::error);
}

TEST_CASE("10,000 resamples of 2,000 samples with 6 labels take seconds") {
  act::statistics::score_table before(2000), after(2000);
  std::vector<std::size_t> labels;
  act::runtime::splitmix64 draw(4);
  for (std::size_t i = 0; i < before.size(); ++i) {
    labels.push_back(draw() % 6);
    for (std::size_t label = 0; label < 6; ++label) {
      before[i].push_back(static_cast<double>(draw() >> 11) * 0x1p-53);
      after[i].push_back(before[i][label] + (label == labels[i] ? 0.1 : 0));
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const auto gain = act::statistics::auc_difference_interval({&before, 1}, {&after, 1}, labels);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  REQUIRE(gain);
  CHECK(gain->lo > 0);
  MESSAGE("took " << seconds.count() << " s");
  CHECK(seconds.count() < 60);  // also under sanitizers on a busy machine
}
