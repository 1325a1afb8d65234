// The bootstrap: equal to an independent one on the same stream, whatever the threads.
#include "golden_statistics.hpp"

#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/bootstrap.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

TEST_CASE("accuracy difference intervals equal the golden ones") {
  for (const auto& golden : act_test::golden_statistics("accuracy_bootstrap")) {
    const auto runs = [&](const char* key) {
      std::vector<act::statistics::outcomes> read;
      for (const auto& run : golden.at(key)) {
        act::statistics::outcomes& right = read.emplace_back();
        for (const auto& each : run) {
          right.push_back(each == 1);
        }
      }
      return read;
    };
    const auto found = act::statistics::accuracy_difference_interval(
        runs("baseline"), runs("calibrated"), {golden.at("resamples"), golden.at("seed")});
    REQUIRE(found);
    CHECK(found->lo == doctest::Approx(golden.at("difference")[0].get<double>()).epsilon(1e-12));
    CHECK(found->hi == doctest::Approx(golden.at("difference")[1].get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("counts add up to the number of samples") {
  std::vector<std::uint32_t> counts(37, 99);
  act::statistics::resample_counts(5, counts);
  CHECK(std::accumulate(counts.begin(), counts.end(), 0U) == 37);
}

TEST_CASE("percentiles are linear between neighbours") {
  std::vector<double> values(101);
  std::iota(values.rbegin(), values.rend(), 0.0);
  CHECK(act::statistics::percentile_interval(values).lo == doctest::Approx(2.5));
  CHECK(act::statistics::percentile_interval(values).hi == doctest::Approx(97.5));
  CHECK(act::statistics::percentile_interval({3.0}).lo == 3);
}

TEST_CASE("the same seed gives the same interval with any number of threads, another seed another") {
  std::vector<double> values(501);
  act::runtime::splitmix64 draw(1);
  for (double& value : values) {
    value = static_cast<double>(draw() >> 11) * 0x1p-53;
  }
  act::set_thread_count(1);
  const auto one = act::statistics::mean_interval(values, {2000, 3});
  act::set_thread_count(5);
  const auto five = act::statistics::mean_interval(values, {2000, 3});
  act::set_thread_count(0);
  REQUIRE(one);
  CHECK(one->lo == five->lo);
  CHECK(one->hi == five->hi);
  CHECK(one->lo != act::statistics::mean_interval(values, {2000, 4})->lo);
  // Close to the normal interval of a mean of 501 uniform values: +- 1.96 sqrt(1 / 12 / 501).
  CHECK(one->hi - one->lo == doctest::Approx(2 * 1.96 * 0.0129).epsilon(0.1));
}

TEST_CASE("seeds don't shrink the interval: five equal runs give that of one") {
  act::statistics::outcomes before, after;
  act::runtime::splitmix64 draw(8);
  for (int i = 0; i < 90; ++i) {
    before.push_back(draw() % 2 == 0);
    after.push_back(draw() % 3 != 0);
  }
  const auto one = act::statistics::accuracy_difference_interval({&before, 1}, {&after, 1});
  const std::vector<act::statistics::outcomes> befores(5, before), afters(5, after);
  const auto five = act::statistics::accuracy_difference_interval(befores, afters);
  CHECK(one->lo == doctest::Approx(five->lo).epsilon(1e-12));
  CHECK(one->hi == doctest::Approx(five->hi).epsilon(1e-12));
}

TEST_CASE("undefined resamples are left out, and nothing at all is empty") {
  const auto sometimes = [](std::span<const std::uint32_t> counts) noexcept {
    return counts[0] == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
  };
  CHECK(act::statistics::bootstrap_interval(3, sometimes)->lo == 1);
  const auto never = [](std::span<const std::uint32_t>) noexcept {
    return std::numeric_limits<double>::quiet_NaN();
  };
  CHECK_FALSE(act::statistics::bootstrap_interval(3, never));
  CHECK_FALSE(act::statistics::mean_interval({}));
  CHECK_THROWS_WITH_AS((void)act::statistics::bootstrap_interval(3, never, {0, 0}),
                       "resamples: must be at least 1", act::error);
}

TEST_CASE("runs over different samples are refused") {
  const std::vector<act::statistics::outcomes> uneven = {{true, false}, {true}};
  CHECK_THROWS_WITH_AS((void)act::statistics::right_share(uneven), "runs: must all have the same samples",
                       act::error);
  const std::vector<act::statistics::outcomes> two = {{true, false}}, one = {{true}};
  CHECK_THROWS_WITH_AS((void)act::statistics::accuracy_difference_interval(two, one),
                       "calibrated: must have as many samples as baseline", act::error);
}
