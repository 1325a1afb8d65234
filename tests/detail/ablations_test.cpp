// The paper's other redistributions against the oracle, and what holds for each of them.
#include <act/calibrate.hpp>
#include <act/calibrate_row.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::random_map;
using index_list = std::vector<std::size_t>;

namespace {
struct kind {
  act::redistribution ours;
  reference::ablation theirs;
};
constexpr kind kinds[] = {{act::redistribution::uniform, reference::ablation::uniform},
                          {act::redistribution::subset, reference::ablation::subset},
                          {act::redistribution::inverse, reference::ablation::inverse},
                          {act::redistribution::temperature, reference::ablation::temperature}};
}  // namespace

TEST_CASE_TEMPLATE("ablations agree with the oracle and keep each row's mass", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (const kind& each : kinds) {
    CAPTURE(static_cast<int>(each.ours));
    for (unsigned seed = 1; seed <= 40; ++seed) {
      const std::size_t queries = 2 + seed, offset = seed % 4 == 0 ? 9 : 0;
      random_map<T> map({.heads = 2,
                         .queries = queries,
                         .keys = queries + offset,
                         .query_offset = offset,
                         .window = seed % 5 == 0 ? 13UL : 0UL,
                         .first_key = {seed % 3}},
                        seed, 0.8);
      reference::map before = map.to_reference(), expected = before;
      index_list subset;
      for (std::size_t j = 1; j < queries; j += 2)
        subset.push_back(j);
      act::calibration_options options{.redistribute = each.ours, .theta = seed % 2 == 0 ? 1.1 : 1 / 1.1};
      if (each.ours == act::redistribution::subset) options.subset = subset;
      const auto report = act::calibrate<T, typename path::arch>(map.span(), {1}, options);
      index_list sinks;
      for (const act::sink& s : report.heads[0].sinks)
        sinks.push_back(s.position);
      reference::ablate(expected, 0, 1, sinks, each.theirs, 0.4, options.theta, subset);
      const reference::map got = map.to_reference();
      for (std::size_t h = 0; h < 2; ++h) {
        for (std::size_t i = 0; i < queries; ++i) {
          double mass_before = 0, mass_after = 0;
          for (std::size_t j = 0; j < got.keys; ++j) {
            CHECK(std::abs(got.at(0, h, i, j) - expected.at(0, h, i, j)) <= path::tolerance);
            if (!got.sees(0, i, j)) CHECK(got.at(0, h, i, j) == 0);
            mass_before += before.at(0, h, i, j);
            mass_after += got.at(0, h, i, j);
          }
          CHECK(std::abs(mass_after - mass_before) <= 1e-6 * mass_before);
        }
      }
    }
  }
}

TEST_CASE("mass moves where each ablation says") {
  const std::vector<float> row{0.4F, 0.4F, 0.1F, 0.1F};
  const auto calibrated = [&](const act::calibration_options& options) {
    std::vector<float> copy = row;
    const double moved = act::calibrate_row<float>(copy, {0, 4}, index_list{1}, options);
    CHECK(moved > 0);
    CHECK(std::accumulate(copy.begin(), copy.end(), 0.0) == doctest::Approx(1));
    return copy;
  };
  const auto uniform = calibrated({.redistribute = act::redistribution::uniform});
  CHECK(uniform[1] == doctest::Approx(0.16));
  CHECK(uniform[2] == doctest::Approx(0.18));
  const index_list last{3};
  const auto subset = calibrated({.redistribute = act::redistribution::subset, .subset = last});
  CHECK(subset[0] == row[0]);
  CHECK(subset[2] == row[2]);
  CHECK(subset[3] == doctest::Approx(0.34));
  const auto inverse = calibrated({.redistribute = act::redistribution::inverse});
  CHECK(inverse[0] == doctest::Approx(0.16));
  CHECK(inverse[1] == doctest::Approx(0.76));
  const auto flatter = calibrated({.redistribute = act::redistribution::temperature, .theta = 1.1});
  CHECK(flatter[0] == row[0]);
  CHECK(flatter[1] < row[1]);
  CHECK(flatter[2] > row[2]);
  const auto sharper = calibrated({.redistribute = act::redistribution::temperature, .theta = 1 / 1.1});
  CHECK(sharper[1] > row[1]);
}

TEST_CASE("rows that an ablation leaves alone") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const index_list first{0}, absent{2};
  const auto stays = [&](std::vector<float> row, const index_list& sinks,
                         const act::calibration_options& options) {
    const auto before = row;
    return act::calibrate_row<float>(row, {0, row.size()}, sinks, options) == 0 &&
           act_test::same_bits(row, before);
  };
  for (const kind& each : kinds) {
    CAPTURE(static_cast<int>(each.ours));
    act::calibration_options options{.redistribute = each.ours, .theta = 1.1};
    if (each.ours == act::redistribution::subset) options.subset = first;
    CHECK(stays({0.2F, nan, 0.4F}, {2}, options));
    CHECK(stays({nan, 0.6F, 0.4F}, {2}, options));
    CHECK(stays({1.0F, 0.0F, 0.0F}, {2}, options));
    options.beta = options.theta = 1;
    CHECK(stays({0.2F, 0.3F, 0.5F}, {2}, options));
  }
  CHECK(stays({0.5F, 0.5F, 0.0F}, {1}, {.redistribute = act::redistribution::subset, .subset = absent}));
  CHECK(stays({0.5F, 0.3F, 0.2F}, {2}, {.redistribute = act::redistribution::subset, .subset = absent}));
  CHECK(stays({0.5F, 0.5F}, {0, 1}, {.redistribute = act::redistribution::uniform}));
}

TEST_CASE("a subset past the keys is refused") {
  random_map<float> map({.queries = 8, .keys = 8}, 1);
  const auto before = map.elements();
  const index_list far{2, 8};
  const act::calibration_options options{.redistribute = act::redistribution::subset, .subset = far};
  CHECK_THROWS_AS(act::calibrate(map.span(), {0}, options), act::error);
  CHECK_THROWS_AS(act::calibrate_with_sinks(map.span(), 0, 0, index_list{3}, options), act::error);
  CHECK_THROWS_AS(
      act::calibrate_row<float>(std::span<float>(map.span().row(0, 0, 3), 8), {0, 4}, index_list{3}, options),
      act::error);
  CHECK(act_test::same_bits(map.elements(), before));
}
