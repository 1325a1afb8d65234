// Decoding: the tracker's sinks are those of the map so far, its rows the oracle's; forks, retractions,
// evictions, bytes.
#include <act/column_scores.hpp>
#include <act/sink_tracker.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::random_map;

namespace {

template <class T>
std::vector<T> row_of(const random_map<T>& map, std::size_t i) {
  const T* const row = map.span().row(0, 0, i);
  return {row, row + i + 1};  // the cache so far
}

/// The whole-prompt map cut to its first `tokens` rows and keys.
reference::map so_far(const reference::map& whole, std::size_t tokens) {
  reference::map m{
      .queries = tokens, .keys = tokens, .window = whole.window, .first_key = whole.first_key, .weights = {}};
  for (std::size_t i = 0; i < tokens; ++i) {
    for (std::size_t j = 0; j < tokens; ++j)
      m.weights.push_back(whole.at(0, 0, i, j));
  }
  return m;
}

}  // namespace

TEST_CASE_TEMPLATE("each step finds the sinks of the map so far and calibrates its own row", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  unsigned seed = 0;
  for (const auto rule :
       {act::sink_rule::relative, act::sink_rule::absolute, act::sink_rule::baseline_corrected}) {
    for (const std::size_t window : {0UL, 11UL}) {
      for (const std::size_t prompt : {0UL, 20UL}) {
        ++seed;
        CAPTURE(seed);
        const std::size_t padding = seed % 4 < 2 ? 2 : 0;  // with a prompt and without
        const random_map<T> map({.queries = 60, .keys = 60, .window = window, .first_key = {padding}}, seed);
        const reference::map whole = map.to_reference();
        const reference::settings settings{.sinks = static_cast<reference::rule>(rule), .alpha = 3};
        act::sink_tracker tracker({.sinks = {.rule = rule, .alpha = 3}});
        auto first = map.span();  // the prompt, of which only the sums are left
        first.queries = prompt;
        first.keys = prompt;
        std::vector<double> sums(prompt, 0.0);
        if (prompt > 0) act::add_column_sums<T, typename path::arch>(first, 0, 0, sums);
        tracker.start(sums, map.span().visible, 0, prompt);
        for (std::size_t i = prompt; i < 60; ++i) {
          std::vector<T> row = row_of(map, i);
          const double moved =
              tracker.calibrate_row<T, typename path::arch>(std::span<T>(row), map.span().visible.row(0, i));
          reference::map m = so_far(whole, i + 1);
          if (i < padding) continue;
          const std::vector<double> scores = reference::scores(m, 0, 0);
          bool on_the_edge = false;
          for (std::size_t j = 0; j <= i; ++j) {
            if (reference::rows_seeing(m, 0, j) == 0) continue;
            const double threshold = reference::threshold(m, 0, j, settings);
            on_the_edge = on_the_edge || std::abs(scores[j] - threshold) < 1e-6 * threshold;
            CHECK(std::abs(tracker.score(j) - scores[j]) <= 3e-7 * scores[j]);
          }
          const std::vector<std::size_t> found(tracker.sinks().begin(), tracker.sinks().end());
          if (!on_the_edge) CHECK(found == reference::sinks(m, 0, 0, settings));
          std::vector<std::size_t> seen_sinks;
          for (const std::size_t s : found) {
            if (m.sees(0, i, s)) seen_sinks.push_back(s);
          }
          reference::calibrate(m, 0, 0, seen_sinks, 0.4);
          for (std::size_t j = 0; j <= i; ++j) {
            CHECK(std::abs(static_cast<double>(row[j]) - m.at(0, 0, i, j)) <= path::tolerance);
          }
          CHECK(moved >= 0);
        }
      }
    }
  }
}

TEST_CASE("a fork goes its own way, a retracted step is as if it hadn't been") {
  const random_map<double> map({.queries = 40, .keys = 40}, 3), other({.queries = 40, .keys = 40}, 4);
  act::sink_tracker tracker;
  for (std::size_t i = 0; i < 30; ++i)
    tracker.append(std::span<const double>(row_of(map, i)), {0, i + 1});
  const act::sink_tracker copy = tracker;
  act::sink_tracker fork = tracker;
  for (std::size_t i = 30; i < 35; ++i)
    fork.append(std::span<const double>(row_of(other, i)), {0, i + 1});
  CHECK(tracker.keys() == 30);
  CHECK(fork.keys() == 35);
  for (std::size_t i = 35; i-- > 30;)
    fork.retract(std::span<const double>(row_of(other, i)), {0, i + 1});
  REQUIRE(fork.keys() == 30);
  for (std::size_t j = 0; j < 30; ++j)
    CHECK(fork.score(j) == doctest::Approx(copy.score(j)).epsilon(1e-12));
  CHECK(std::equal(fork.sinks().begin(), fork.sinks().end(), copy.sinks().begin(), copy.sinks().end()));
}

TEST_CASE("evicted keys are gone, the others keep their scores, the initial token its place") {
  const random_map<double> map({.queries = 40, .keys = 40}, 5);
  act::sink_tracker tracker;
  for (std::size_t i = 0; i < 40; ++i)
    tracker.append(std::span<const double>(row_of(map, i)), {0, i + 1});
  const act::sink_tracker before = tracker;
  tracker.evict({4, 14});
  REQUIRE(tracker.keys() == 30);
  CHECK(tracker.score(3) == before.score(3));
  CHECK(tracker.score(4) == before.score(14));
  std::vector<std::size_t> expected;  // the threshold is that of 30 keys
  for (std::size_t j = 1; j < 30; ++j) {
    if (tracker.score(j) > 5.0 / 30) expected.push_back(j);
  }
  CHECK(std::vector<std::size_t>(tracker.sinks().begin(), tracker.sinks().end()) == expected);
  tracker.evict({0, 2});  // the initial token itself: nobody takes its place
  CHECK(tracker.keys() == 28);
  tracker.evict({0, 28});
  CHECK(tracker.sinks().empty());
}

TEST_CASE("a limit of positions moves with the slots, is saved, and begins anew with a prompt") {
  const random_map<double> map({.queries = 40, .keys = 40}, 5);
  const act::calibration_options options{.sinks = {.alpha = 0.1, .position_limit = 20}};
  act::sink_tracker tracker(options);
  for (std::size_t i = 0; i < 40; ++i)
    tracker.append(std::span<const double>(row_of(map, i)), {0, i + 1});
  const auto last = [](const act::sink_tracker& of) { return of.sinks().empty() ? 0 : of.sinks().back(); };
  CHECK(last(tracker) == 19);
  tracker.evict({30, 35});  // behind it
  CHECK(last(tracker) == 19);
  tracker.evict({18, 22});  // slots 18 and 19 were the last before it
  CHECK(last(tracker) == 17);
  const std::vector<std::byte> bytes = tracker.save();
  act::sink_tracker restored(options);
  restored.load(bytes);
  CHECK(restored.save() == bytes);
  restored.evict({0, 2});
  CHECK(last(restored) == 15);
  restored.evict({0, 20});  // nothing before it is left
  CHECK(restored.sinks().empty());
  act::sink_tracker unlimited({.sinks = {.alpha = 0.1}});
  CHECK_THROWS_AS(unlimited.load(bytes), act::error);
  act::sink_tracker narrower({.sinks = {.alpha = 0.1, .position_limit = 17}});
  CHECK_THROWS_AS(narrower.load(bytes), act::error);  // its limit can't have been behind its own
  restored.start(std::vector<double>(40, 1), {}, 0, 40);
  CHECK(last(restored) == 19);
}

TEST_CASE("N of the relative rule is what is kept") {
  const random_map<double> map({.queries = 40, .keys = 40}, 5);
  const auto tracked = [&](double alpha) {
    act::sink_tracker tracker({.sinks = {.alpha = alpha}});
    for (std::size_t i = 0; i < 40; ++i)
      tracker.append(std::span<const double>(row_of(map, i)), {0, i + 1});
    return tracker;
  };
  const auto is_sink = [](const act::sink_tracker& by, std::size_t slot) {
    return std::binary_search(by.sinks().begin(), by.sinks().end(), slot);
  };
  // Slot 20 is over alpha / 40 and under alpha / 30.
  act::sink_tracker tracker = tracked(35 * tracked(5).score(20));
  CHECK(is_sink(tracker, 20));
  tracker.evict({4, 14});
  CHECK_FALSE(is_sink(tracker, 10));
}

TEST_CASE("bytes restore the state, others are refused and change nothing") {
  const random_map<double> map({.queries = 30, .keys = 30}, 6);
  act::sink_tracker tracker;
  for (std::size_t i = 0; i < 30; ++i)
    tracker.append(std::span<const double>(row_of(map, i)), {0, i + 1});
  const std::vector<std::byte> bytes = tracker.save();
  act::sink_tracker restored;
  restored.load(bytes);
  CHECK(restored.save() == bytes);
  CHECK(std::equal(restored.sinks().begin(), restored.sinks().end(), tracker.sinks().begin(),
                   tracker.sinks().end()));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_THROWS_AS(restored.load(std::span(bytes).first(size)), act::error);
  }
  for (std::size_t at = 0; at < 16; ++at) {
    auto flipped = bytes;
    flipped[at] ^= std::byte{0x40};
    CHECK_THROWS_AS(restored.load(flipped), act::error);
  }
  act::sink_tracker other({.sinks = {.rule = act::sink_rule::baseline_corrected}});
  CHECK_THROWS_AS(other.load(bytes), act::error);
  CHECK(restored.save() == bytes);
}

TEST_CASE("bad requests are refused") {
  CHECK_THROWS_AS(act::sink_tracker({.beta = 2}), act::error);
  CHECK_THROWS_AS(act::sink_tracker({.behave_as = act::compatibility::authors}), act::error);
  act::sink_tracker tracker;
  const std::vector<float> row{1, 0}, shorter{1};
  tracker.append(std::span<const float>(row), {0, 2});
  CHECK_THROWS_AS(tracker.append(std::span<const float>(shorter), {0, 1}), act::error);
  CHECK_THROWS_AS(tracker.append(std::span<const float>(row), {0, 3}), act::error);
  CHECK_THROWS_AS(tracker.retract(std::span<const float>(shorter), {0, 1}), act::error);
  CHECK_THROWS_AS(tracker.evict({1, 3}), act::error);
  CHECK_THROWS_AS(tracker.start(std::vector<double>(4), {.query_offset = 5}, 0, 1), act::error);
  CHECK(tracker.keys() == 2);
}
