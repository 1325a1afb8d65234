// One row at a time: where the mass goes, when the row stays, what isn't touched.
#include <act/calibrate_row.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using index_list = std::vector<std::size_t>;

namespace {
template <class T>
double mass(const std::vector<T>& row) {
  return std::accumulate(row.begin(), row.end(), 0.0);
}
}  // namespace

TEST_CASE_TEMPLATE("sinks keep beta, the others share what they lost in proportion", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  std::vector<T> row{T(0.25), T(0.5), T(0.125), T(0.125)};
  const double moved = act::calibrate_row<T, typename path::arch>(row, {0, 4}, index_list{1});
  CHECK(moved == doctest::Approx(0.3));
  CHECK(row[0] == doctest::Approx(0.25 * 1.6));
  CHECK(row[1] == doctest::Approx(0.2));
  CHECK(row[2] == doctest::Approx(0.125 * 1.6));
  CHECK(mass(row) == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE_TEMPLATE("every length, and every number of sinks, keeps the row's mass", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (std::size_t keys = 1; keys <= 4 * 16 + 1; ++keys) {
    const act_test::random_map<T> map({.queries = 1, .keys = keys, .query_offset = keys - 1},
                                      static_cast<unsigned>(keys), 0.7);
    for (std::size_t step = 1; step <= 3; ++step) {
      std::vector<T> row(map.span().row(0, 0, 0), map.span().row(0, 0, 0) + keys);
      const std::vector<T> before = row;
      index_list sinks;
      for (std::size_t s = 1; s < keys; s += step)
        sinks.push_back(s);
      act::calibrate_row<T, typename path::arch>(row, {0, keys}, sinks);
      CHECK(std::abs(mass(row) - mass(before)) <= 1e-6 * mass(before));
      for (const std::size_t s : sinks)
        CHECK(row[s] == doctest::Approx(0.4 * before[s]).epsilon(1e-6));
    }
  }
}

TEST_CASE_TEMPLATE("more sinks than are kept aside at once", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (const std::size_t keys : {64UL, 65UL, 66UL, 128UL, 130UL, 700UL}) {
    std::vector<T> row(keys, T(1) / T(keys));
    index_list sinks(keys - 1);
    std::iota(sinks.begin(), sinks.end(), 1UL);  // all but the first
    act::calibrate_row<T, typename path::arch>(row, {0, keys}, sinks);
    CHECK(mass(row) == doctest::Approx(1).epsilon(1e-6));
    CHECK(row[keys - 1] == doctest::Approx(0.4 / static_cast<double>(keys)).epsilon(1e-6));
  }
}

TEST_CASE_TEMPLATE("rows that stay to the bit", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  const T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
  const auto stays = [](std::vector<T> row, const index_list& sinks,
                        const act::calibration_options& options = {}) {
    const std::vector<T> before = row;
    const double moved = act::calibrate_row<T, typename path::arch>(row, {0, row.size()}, sinks, options);
    return moved == 0 && act_test::same_bits(row, before);
  };
  CHECK(stays({T(0.3), T(0.7)}, {}));
  CHECK(stays({T(1), T(0)}, {1}));        // no mass on the sink
  CHECK(stays({T(0), T(1)}, {1}));        // no mass elsewhere
  CHECK(stays({T(0x1p-21), T(1)}, {1}));  // too little elsewhere: counts as none
  CHECK_FALSE(stays({T(0x1p-19), T(1)}, {1}));
  CHECK(stays({T(1e-30), T(1e-9)}, {1}));  // the same, whatever the row's mass
  CHECK_FALSE(stays({T(1e-12), T(1e-9)}, {1}));
  CHECK(stays({T(0), T(0)}, {1}));
  CHECK(stays({nan, T(0.5)}, {1}));
  CHECK(stays({T(0.5), nan}, {1}));
  CHECK(stays({infinity, T(0.5)}, {1}));
  CHECK(stays({T(0.5), infinity}, {1}));
  CHECK(stays({T(0.3), T(0.7)}, {1}, {.beta = 1}));
}

TEST_CASE_TEMPLATE("a row with nearly all its mass on sinks keeps its mass", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (const double rest : {0.5, 0.1, 0.011, 0.009, 1e-3, 1e-5, 2e-6}) {
    std::vector<T> row(100, static_cast<T>(rest / 98));
    row[40] = row[70] = static_cast<T>((1 - rest) / 2);
    const double before = mass(row);
    act::calibrate_row<T, typename path::arch>(row, {0, 100}, index_list{40, 70});
    CHECK(std::abs(mass(row) - before) <= 1e-6 * before);
    CHECK(row[40] == doctest::Approx(0.4 * (1 - rest) / 2).epsilon(1e-6));
  }
}

TEST_CASE("keys outside the visible range aren't touched, sinks there are ignored") {
  std::vector<float> row{9, 9, 0.25F, 0.5F, 0.25F, 9};
  act::calibrate_row<float>(row, {2, 5}, index_list{0, 3, 5});
  CHECK(row == std::vector<float>{9, 9, 0.4F, 0.2F, 0.4F, 9});
  CHECK(act::calibrate_row<float>(row, {3, 3}, index_list{3}) == 0);
}

TEST_CASE("bad requests are refused before the row is written") {
  std::vector<float> row{0.25F, 0.5F, 0.25F};
  const std::vector<float> before = row;
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {0, 4}, index_list{1}), act::error);
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {2, 1}, index_list{1}), act::error);
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {0, 3}, index_list{3}), act::error);
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {0, 3}, index_list{2, 1}), act::error);
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {0, 3}, index_list{1, 1}), act::error);
  CHECK_THROWS_AS(act::calibrate_row<float>(row, {0, 3}, index_list{1}, {.beta = 2}), act::error);
  CHECK_THROWS_AS(
      act::calibrate_row<float>(row, {0, 3}, index_list{1}, {.behave_as = act::compatibility::authors}),
      act::error);
  CHECK(row == before);
}
