// Sinks: both rules at their thresholds, the initial token, N under padding, windows, chunks, the row
// minimum.
#include <act/sinks.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::random_map;

namespace {
std::vector<std::size_t> positions(const std::vector<act::sink>& sinks) {
  std::vector<std::size_t> found;
  for (const act::sink& each : sinks)
    found.push_back(each.position);
  return found;
}
using index_list = std::vector<std::size_t>;
}  // namespace

TEST_CASE("the relative rule compares with alpha / N, the absolute one with tau, both strictly") {
  const std::vector<double> scores{0.9, 0.5, 0.51, 0.1, 0, 0, 0, 0.6, 0, 0};
  CHECK(positions(act::find_sinks(scores, {}, 0, 10)) == index_list{2, 7});  // 5 / 10
  CHECK(positions(act::find_sinks(scores, {}, 0, 10, {.alpha = 0.9})) == index_list{1, 2, 3, 7});
  CHECK(positions(act::find_sinks(scores, {}, 0, 10, {.rule = act::sink_rule::absolute})) ==
        index_list{1, 2, 7});
  CHECK(act::find_sinks(scores, {}, 0, 10)[1].score == 0.6);
}

TEST_CASE("the initial token is spared by position, the authors spare the first index found") {
  const std::vector<double> scores{0.1, 0.7, 0.8, 0, 0, 0, 0, 0, 0, 0};
  CHECK(positions(act::find_sinks(scores, {}, 0, 10)) == index_list{1, 2});
  CHECK(positions(act::find_sinks(scores, {}, 0, 10, {}, act::compatibility::authors)) == index_list{2});
  std::vector<double> strong = scores;
  strong[0] = 0.9;
  CHECK(positions(act::find_sinks(strong, {}, 0, 10)) == index_list{1, 2});
  CHECK(positions(act::find_sinks(strong, {}, 0, 10, {}, act::compatibility::authors)) == index_list{1, 2});
}

TEST_CASE("N leaves out padding and unseen keys, counts keys before a chunk, and ignores the window") {
  std::vector<double> scores(12, 0.0);
  scores[6] = 0.61;
  const auto found = [&](const act::visibility& visible, std::size_t queries) {
    return !act::find_sinks(scores, visible, 0, queries).empty();
  };
  CHECK(found({}, 12));
  CHECK(found({}, 9));        // 5 / 9 < 0.61
  CHECK_FALSE(found({}, 8));  // 5 / 8 > 0.61
  const std::array<std::size_t, 1> three{3}, four{4}, six{6};
  CHECK(found({.first_key = three}, 12));
  CHECK_FALSE(found({.first_key = four}, 12));
  CHECK_FALSE(found({.first_key = six}, 12));
  CHECK(found({.query_offset = 7}, 2));
  CHECK_FALSE(found({.query_offset = 6}, 2));
  CHECK(found({.window = 3}, 9));
}

TEST_CASE("columns with too few rows can be left out") {
  const std::vector<double> scores{0, 0, 0, 0, 0, 0, 0, 0, 0.9, 0.9};
  CHECK(positions(act::find_sinks(scores, {}, 0, 10)) == index_list{8, 9});
  CHECK(positions(act::find_sinks(scores, {}, 0, 10, {.min_visible_rows = 2})) == index_list{8});
  CHECK(act::find_sinks(scores, {}, 0, 10, {.min_visible_rows = 3}).empty());
}

TEST_CASE("NaN scores aren't sinks, and nothing visible has none") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(act::find_sinks(std::vector<double>(10, nan), {}, 0, 10).empty());
  const std::array<std::size_t, 1> past{10};
  CHECK(act::find_sinks(std::vector<double>(10, 0.9), {.first_key = past}, 0, 10).empty());
  CHECK(act::find_sinks(std::vector<double>{}, {}, 0, 0).empty());
  CHECK(act::find_sinks(std::vector<double>{1.0}, {}, 0, 1).empty());
}

TEST_CASE("uniform attention has false sinks under the relative rule and none under the corrected one") {
  for (const std::size_t n : {500UL, 1000UL, 2000UL}) {
    std::vector<double> scores(n);
    double harmonic = 0;  // H_N - H_j, from the end
    for (std::size_t j = n; j-- > 0;) {
      harmonic += 1.0 / static_cast<double>(j + 1);
      scores[j] = harmonic / static_cast<double>(n - j);
    }
    const std::size_t expected = n == 500 ? 2 : n == 1000 ? 6 : 13;  // columns 1 .. expected
    const auto relative = act::find_sinks(scores, {}, 0, n);
    REQUIRE(relative.size() == expected);
    CHECK(relative.back().position == expected);
    CHECK(act::find_sinks(scores, {}, 0, n, {.rule = act::sink_rule::baseline_corrected}).empty());
    for (double& each : scores)
      each *= 1.0001;  // and it is where the rule says it is
    CHECK(
        act::find_sinks(scores, {}, 0, n, {.rule = act::sink_rule::baseline_corrected, .alpha = 1}).size() ==
        n - 1);
  }
}

TEST_CASE_TEMPLATE("sinks of random maps are the oracle's", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const std::size_t queries = 1 + seed * 3 % 90, offset = seed % 4 == 0 ? 11 : 0;
    const random_map<T> map({.heads = 2,
                             .queries = queries,
                             .keys = queries + offset,
                             .query_offset = offset,
                             .window = seed % 5 == 0 ? 16UL : 0UL,
                             .first_key = {seed % 3}},
                            seed);
    const reference::map oracle = map.to_reference();
    reference::settings settings;
    act::sink_options options;
    if (seed % 3 == 1) {
      settings.sinks = reference::rule::absolute;
      options.rule = act::sink_rule::absolute;
    } else if (seed % 3 == 2) {
      settings.sinks = reference::rule::baseline_corrected;
      options.rule = act::sink_rule::baseline_corrected;
      settings.alpha = options.alpha = 2;
    }
    settings.min_visible_rows = options.min_visible_rows = 1 + seed % 3;
    if (seed % 4 == 1)
      settings.position_limit = options.position_limit = 1 + seed * 7 % (queries + offset + 3);
    for (std::size_t h = 0; h < 2; ++h) {
      bool on_the_edge = false;  // a score within rounding of the threshold may fall on either side
      const std::vector<double> scores = reference::scores(oracle, 0, h);
      for (std::size_t j = 0; j < oracle.keys; ++j) {
        const double threshold = reference::threshold(oracle, 0, j, settings);
        on_the_edge = on_the_edge || std::abs(scores[j] - threshold) < 4e-7 * threshold;
      }
      const auto found = act::find_sinks<T, typename path::arch>(map.span(), 0, h, options);
      if (!on_the_edge) CHECK(positions(found) == reference::sinks(oracle, 0, h, settings));
    }
  }
}

TEST_CASE("the initial token is over the threshold or not by each rule, but never a sink") {
  const std::vector<double> scores{0.6, 0.05, 0.3, 0.05};
  const auto over = [&](const act::sink_options& options) {
    return act::initial_token_over_threshold(scores, {}, 0, 4, options);
  };
  CHECK(over({.alpha = 2.3}));   // 0.575
  CHECK(!over({.alpha = 2.5}));  // 0.625
  CHECK(over({.rule = act::sink_rule::absolute, .tau = 0.5}));
  CHECK(!over({.rule = act::sink_rule::absolute, .tau = 0.6}));
  const double uniform = (1 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 4;
  CHECK(over({.rule = act::sink_rule::baseline_corrected, .alpha = 0.59 / uniform}));
  CHECK(!over({.rule = act::sink_rule::baseline_corrected, .alpha = 0.61 / uniform}));
  CHECK(!over({.alpha = 1, .min_visible_rows = 5}));
  CHECK(over({.alpha = 1, .position_limit = 1}));
  CHECK(!act::initial_token_over_threshold(scores, {.first_key = std::array<std::size_t, 1>{1}}, 0, 4,
                                           {.alpha = 0.1, .position_limit = 1}));
  CHECK(positions(act::find_sinks(scores, {}, 0, 4, {.alpha = 1})) == std::vector<std::size_t>{2});
  // Left padding moves the initial token, and keys shrink to two.
  const std::array<std::size_t, 1> two{2};
  CHECK(act::initial_token_over_threshold(scores, {.first_key = two}, 0, 4, {.alpha = 0.5}));
  CHECK(!act::initial_token_over_threshold(scores, {.first_key = two}, 0, 4, {.alpha = 0.7}));
  CHECK_THROWS_AS((void)act::initial_token_over_threshold(scores, {}, 0, 5), act::error);
}

TEST_CASE("bad requests are refused") {
  const std::vector<double> scores(4, 0.0);
  CHECK_THROWS_AS((void)act::find_sinks(scores, {}, 0, 5), act::error);
  CHECK_THROWS_AS((void)act::find_sinks(scores, {.query_offset = 4}, 0, 1), act::error);
  CHECK_THROWS_AS((void)act::find_sinks(scores, {}, 0, 4, {.alpha = -1}), act::error);
  const std::array<std::size_t, 1> one{0};
  CHECK_THROWS_AS((void)act::find_sinks(scores, {.first_key = one}, 1, 4), act::error);
}
