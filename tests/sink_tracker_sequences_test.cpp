// Long random decodings: a tracker that looks through few of its columns a step finds the sinks that plain
// sums find, after every step, whatever is done to the cache in between.
#include <act/half.hpp>
#include <act/sink_tracker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include "paths.hpp"
#include "random/random_numbers.hpp"

namespace {

/// What a tracker keeps, in the plainest form: each column's sum, rows and uniform share, in double.
struct plain_sums {
  struct column {
    double sum = 0, rows = 0, uniform = 0;
  };
  act::sink_options options;
  std::vector<column> columns = {};
  std::size_t initial = 0;
  bool initial_is_there = true;
  std::size_t may_be = options.position_limit == 0 ? no_end : options.position_limit;  // slots before it
  static constexpr std::size_t no_end = std::numeric_limits<std::size_t>::max();

  [[nodiscard]] double threshold(const column& of, std::size_t keys) const {
    if (options.rule == act::sink_rule::baseline_corrected) return options.alpha * of.uniform;
    if (options.rule == act::sink_rule::absolute) return options.tau * of.rows;
    const std::size_t before = initial_is_there ? initial : 0;
    return keys > before ? options.alpha / static_cast<double>(keys - before) * of.rows : 0;
  }
  template <class T>
  void add(const std::vector<T>& row, act::key_range seen, double sign) {
    if (sign > 0) columns.resize(row.size());
    for (std::size_t j = seen.begin; j < seen.end; ++j) {
      columns[j].sum += sign * static_cast<double>(row[j]);
      columns[j].rows += sign;
      columns[j].uniform += sign / static_cast<double>(seen.size());
    }
    if (sign < 0) columns.pop_back();
  }
  void evict(act::key_range range) {
    columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  columns.begin() + static_cast<std::ptrdiff_t>(range.end));
    if (initial_is_there && range.contains(initial)) {
      initial_is_there = false;
    } else if (initial_is_there && range.end <= initial) {
      initial -= range.size();
    }
    for (std::size_t slot = range.begin, left = may_be; left != no_end && slot < std::min(range.end, left);
         ++slot)
      --may_be;
  }
  /// Are these the sinks, but for columns within `bound` (relative) of their threshold?
  [[nodiscard]] bool agree(const act::sink_tracker& tracker, double bound) const {
    const auto found = tracker.sinks();
    if (!std::is_sorted(found.begin(), found.end()) || tracker.keys() != columns.size()) return false;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const column& of = columns[j];
      const double at = threshold(of, columns.size());
      const bool is_found = std::binary_search(found.begin(), found.end(), j);
      const bool allowed = !(initial_is_there && j <= initial) && j < may_be &&
                           of.rows >= static_cast<double>(options.min_visible_rows);
      if (is_found && !allowed) return false;
      if (allowed && is_found != (of.sum > at) && std::abs(of.sum - at) > bound * at) return false;
      const double score = of.rows > 0 ? of.sum / of.rows : 0;
      if (std::abs(tracker.score(j) - score) > bound * score) return false;
    }
    return true;
  }
};

struct sequence_case {
  act::sink_options sinks;
  std::size_t prompt, steps, window, padding;
  bool edits;  // evictions, retractions
};

/// Weights of one step. Most are small; some bring a column to its threshold, just over or just under it, so
/// that what a block has left is used up to the last.
template <class T>
std::vector<T> adversarial_row(const plain_sums& so_far, std::size_t keys, act::key_range seen,
                               act_test::random_numbers& random) {
  std::vector<T> row(keys);
  const double usual = random.uniform() / static_cast<double>(keys);
  for (T& each : row)
    each = static_cast<T>(static_cast<float>(usual * random.uniform()));
  for (std::size_t lifted = 0; lifted < 3 + keys / 40 && !seen.empty(); ++lifted) {
    const std::size_t j = seen.begin + random.below(seen.size());
    plain_sums::column after = j < so_far.columns.size() ? so_far.columns[j] : plain_sums::column{};
    after.rows += 1;
    after.uniform += 1 / static_cast<double>(seen.size());
    const double close = std::pow(10.0, -1 - 4.5 * random.uniform()) * (random.one_in(2) ? 1 : -1);
    const double wanted = so_far.threshold(after, keys) * (1 + close) - after.sum;
    if (wanted > 0 && wanted < 1) row[j] = static_cast<T>(static_cast<float>(wanted));
  }
  if (!seen.empty() && random.one_in(4)) row[seen.begin + random.below(seen.size())] = static_cast<T>(0.5F);
  return row;
}

template <class T, class Arch>
void step(act::sink_tracker& tracker, std::vector<T>& row, act::key_range seen, unsigned form) {
  if constexpr (std::is_same_v<T, act::accumulator_t<T>>) {
    if (form == 0) {  // a kernel's: exponentials, four times the weights
      double sum = 0;
      for (T& each : row)
        each *= 4;
      for (std::size_t j = seen.begin; j < seen.end; ++j)
        sum += static_cast<double>(row[j]);
      const T factor =
          tracker.calibrate_unnormalised<T, Arch>(std::span<T>(row), seen, static_cast<T>(0.25), sum);
      for (std::size_t j = 0; j < row.size(); ++j)
        row[j] *= seen.contains(j) ? factor : static_cast<T>(0.25);
      return;
    }
  }
  if (form == 1) {
    tracker.append<T, Arch>(std::span<const T>(row), seen);
  } else {
    tracker.calibrate_row<T, Arch>(std::span<T>(row), seen);
  }
}

template <class T, class Arch>
std::size_t decode(const sequence_case& c, unsigned seed) {
  constexpr double bound = std::is_same_v<T, double> ? 1e-11 : 1e-6;
  act_test::random_numbers random(seed);
  const std::vector<std::size_t> first_key{c.padding};
  const act::visibility visible{0, first_key, c.window};
  plain_sums plain{.options = c.sinks, .initial = c.padding};
  std::vector<double> sums;
  for (std::size_t i = 0; i < c.prompt; ++i) {
    const act::key_range seen = visible.row(0, i);
    std::vector<T> row = adversarial_row<T>(plain, i + 1, seen, random);
    plain.add(row, seen.empty() ? act::key_range{} : seen, 1);
  }
  for (const plain_sums::column& each : plain.columns)
    sums.push_back(each.sum);
  act::sink_tracker tracker({.sinks = c.sinks});
  tracker.start<Arch>(sums, visible, 0, c.prompt);
  REQUIRE(plain.agree(tracker, bound));
  act::sink_tracker twin = tracker;  // goes the same way, forked or loaded now and then

  struct past_step {
    std::vector<T> row;
    act::key_range seen;
    plain_sums before;
  };
  std::vector<past_step> past;
  std::size_t sinks = 0;
  for (std::size_t at = 0; at < c.steps; ++at) {
    CAPTURE(at);
    const std::size_t keys = tracker.keys() + (random.one_in(40) ? random.below(90) : 1);  // a step may jump
    const std::size_t seen_end =
        random.one_in(20) ? keys - random.below(std::min<std::size_t>(keys, 9)) : keys;
    const std::size_t from = plain.initial_is_there ? plain.initial : 0;
    act::key_range seen{
        std::max(from, c.window != 0 && seen_end > c.window ? seen_end - c.window : std::size_t{0}),
        seen_end};
    if (seen.empty()) seen = {seen_end, seen_end};
    const std::vector<T> raw = adversarial_row<T>(plain, keys, seen, random);
    if (past.size() == 4) past.erase(past.begin());
    past.push_back({raw, seen, plain});
    if (keys != tracker.keys() + 1) past.clear();  // retract() forgets one key
    plain.add(raw, seen, 1);
    const unsigned form = static_cast<unsigned>(random.below(3));
    for (act::sink_tracker* each : {&tracker, &twin}) {
      std::vector<T> row = raw;
      step<T, Arch>(*each, row, seen, form);
    }
    REQUIRE(plain.agree(tracker, bound));
    sinks += tracker.sinks().size();
    if (c.edits && random.one_in(12)) {
      const std::size_t begin = random.below(tracker.keys() + 1);
      const std::size_t count = std::min(tracker.keys() - begin, 1 + random.below(random.one_in(4) ? 80 : 3));
      plain.evict({begin, begin + count});
      tracker.evict<Arch>({begin, begin + count});
      twin.evict<Arch>({begin, begin + count});
      past.clear();
      REQUIRE(plain.agree(tracker, bound));
    }
    for (std::size_t left = random.below(3); c.edits && left > 0 && !past.empty() && random.one_in(4);
         --left) {
      tracker.retract<T, Arch>(std::span<const T>(past.back().row), past.back().seen);
      twin.retract<T, Arch>(std::span<const T>(past.back().row), past.back().seen);
      plain = past.back().before;
      past.pop_back();
      // What was taken back leaves the rounding of sums that held it.
      for (std::size_t j = 0; j < tracker.keys(); ++j)
        plain.columns[j].sum = tracker.score(j) * plain.columns[j].rows;
      REQUIRE(plain.agree(tracker, bound));
    }
    if (random.one_in(10)) {
      const std::vector<std::byte> bytes = tracker.save();
      REQUIRE(twin.save() == bytes);
      if (random.one_in(2)) {
        twin = tracker;
      } else {
        twin = act::sink_tracker({.sinks = c.sinks});
        twin.load<Arch>(bytes);
        REQUIRE(twin.save() == bytes);
      }
      REQUIRE(std::equal(twin.sinks().begin(), twin.sinks().end(), tracker.sinks().begin(),
                         tracker.sinks().end()));
    }
  }
  return sinks;
}

}  // namespace

TEST_CASE_TEMPLATE("the sinks of every step are those of plain sums", path, ACT_TEST_PATHS) {
  std::size_t sinks = 0;
  for (unsigned seed = 1; seed <= 48; ++seed) {
    CAPTURE(seed);
    sequence_case c{
        .sinks = {.rule = static_cast<act::sink_rule>(seed % 3), .alpha = seed % 2 == 0 ? 5.0 : 1.5},
        .prompt = seed % 4 == 0 ? 0 : 40 * (seed % 4) + seed,
        .steps = 120,
        .window = seed % 5 == 1 ? 70 + seed : 0,
        .padding = seed % 7 < 2 ? 3 + 30 * (seed % 7) : 0,
        .edits = seed % 2 == 0};
    c.sinks.tau = seed % 4 == 1 ? 0.02 : 0.1;
    c.sinks.min_visible_rows = seed % 6 == 5 ? 20 : 1;
    if (seed % 5 == 3) c.sinks.position_limit = 1 + c.prompt / (1 + seed % 2);
    sinks += decode<typename path::element, typename path::arch>(c, seed);
  }
  CHECK(sinks > 10000);
}

TEST_CASE_TEMPLATE("only slots before the limit are sinks, wherever it falls in a block", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  // Every slot behind the initial one would be a sink: they take turns to have a third of a row.
  for (std::size_t limit = 1; limit <= 140; ++limit) {
    for (const act::sink_rule rule :
         {act::sink_rule::relative, act::sink_rule::absolute, act::sink_rule::baseline_corrected}) {
      const act::sink_options sinks{.rule = rule, .alpha = 0.5, .tau = 0.001, .position_limit = limit};
      plain_sums plain{.options = sinks};
      act::sink_tracker tracker({.sinks = sinks});
      for (std::size_t step = 1; step <= 150; ++step) {
        std::vector<T> row(step, static_cast<T>(0.6F / static_cast<float>(step)));
        row[step * 7 % step] += static_cast<T>(0.3F);
        plain.add(row, {0, step}, 1);
        tracker.append<T, typename path::arch>(std::span<const T>(row), {0, step});
        if (step % 10 == 0 || step > 140) REQUIRE(plain.agree(tracker, 1e-6));
      }
      CHECK(tracker.sinks().size() == limit - 1);
    }
  }
}

TEST_CASE("half rows are tracked as float ones") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    decode<act::float16, act::simd::default_arch>({.sinks = {.rule = static_cast<act::sink_rule>(seed % 3)},
                                                   .prompt = 150,
                                                   .steps = 60,
                                                   .window = 0,
                                                   .padding = 0,
                                                   .edits = true},
                                                  seed);
  }
}

TEST_CASE("a column that stays just under its threshold becomes a sink with the step that lifts it") {
  // Every column gets exactly what keeps it a little under; each step one of them gets that little more.
  constexpr std::size_t keys = 640;
  const act::calibration_options options{.sinks = {.rule = act::sink_rule::absolute, .tau = 0.001}};
  act::sink_tracker tracker(options);
  tracker.start(std::vector<double>(keys, 0.00099 * keys), {.query_offset = 0}, 0, keys);
  plain_sums plain{.options = options.sinks};
  plain.columns.resize(keys);
  for (std::size_t j = 0; j < keys; ++j)
    plain.columns[j] = {0.00099 * keys, static_cast<double>(keys - j), 0};
  std::size_t most = 0;
  for (std::size_t step = 1; step <= 100; ++step) {
    std::vector<float> row(keys + step, 0.00099F);
    const std::size_t lifted = step * 7919 % keys;
    row[lifted] = static_cast<float>((0.001 * (plain.columns[lifted].rows + 1) - plain.columns[lifted].sum) *
                                     (step % 2 == 0 ? 1.001 : 0.999));
    row[lifted] = std::max(row[lifted], 0.0F);
    plain.add(row, {0, row.size()}, 1);
    tracker.append(std::span<const float>(row), {0, row.size()});
    REQUIRE(plain.agree(tracker, 1e-6));
    most = std::max(most, tracker.sinks().size());
  }
  CHECK(most > 20);
}

TEST_CASE("out of sight, a column becomes a sink when the others' share falls below its score") {
  for (const std::size_t window : {5UL, 70UL, 130UL}) {
    plain_sums plain{.options = {}};
    act::sink_tracker tracker;
    for (std::size_t step = 1; step <= 700; ++step) {
      std::vector<float> row(step, 0.0F);
      const act::key_range seen{step > window ? step - window : 0, step};
      for (std::size_t j = seen.begin; j < seen.end; ++j)
        row[j] = 5.0F / static_cast<float>(300 + j % 97 * 3);
      plain.add(row, seen, 1);
      tracker.append(std::span<const float>(row), seen);
      REQUIRE(plain.agree(tracker, 1e-6));
    }
    CHECK(tracker.sinks().size() > 300);
  }
}

TEST_CASE("rows that see less than there is: keys behind their end, or not seen before") {
  for (const std::size_t lag : {1UL, 60UL, 100UL}) {
    plain_sums plain{.options = {}};
    act::sink_tracker tracker;
    for (std::size_t step = 1; step <= 900; ++step) {
      // For 200 steps keys wait for a while before they are seen, then all are, then the first 64 alone.
      const std::size_t end = step <= 200 ? step - std::min(step, lag) : step <= 300 ? step : 64;
      std::vector<float> row(step, 0.0F);
      for (std::size_t j = 0; j < end; ++j)
        row[j] = step == 201 && j % 3 == 0 ? 0.03F : 5.0F / static_cast<float>(310 + j % 97 * 3);
      plain.add(row, {0, end}, 1);
      tracker.append(std::span<const float>(row), {0, end});
      REQUIRE(plain.agree(tracker, 1e-6));
    }
    CHECK(tracker.sinks().size() > 200);
  }
}

TEST_CASE("a NaN spoils its own column alone") {
  plain_sums plain{.options = {}};
  act::sink_tracker tracker;
  for (std::size_t step = 1; step <= 400; ++step) {
    std::vector<float> row(step, 0.5F / static_cast<float>(step));
    if (step > 200) row[100] = row[101 + step % 20] = 0.1F;  // sinks of the NaN's own block
    plain.add(row, {0, step}, 1);
    if (step > 150) row[70] = std::nanf("");
    tracker.append(std::span<const float>(row), {0, step});
    const auto sinks = tracker.sinks();
    CHECK(std::find(sinks.begin(), sinks.end(), std::size_t{70}) == sinks.end());
    for (std::size_t j = 1; j < step; ++j) {
      const double at = plain.threshold(plain.columns[j], step);
      if (j == 70 || std::abs(plain.columns[j].sum - at) < 1e-6 * at) continue;
      REQUIRE(std::binary_search(sinks.begin(), sinks.end(), j) == (plain.columns[j].sum > at));
    }
  }
}
