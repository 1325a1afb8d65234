// Decode trackers, run on the emulated device, against the core's sink_tracker, sequence by sequence.
#include <act/column_scores.hpp>
#include <act/cuda/tracker.hpp>
#include <act/sink_tracker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "cuda/boundary_cases.hpp"
#include "cuda/map_cases.hpp"
#include "cuda/there.hpp"
#include "random/random_map.hpp"

namespace {

using act::cuda::status;

struct decoding_case {
  std::size_t prompt = 10, steps = 20, window = 0;
  std::vector<std::size_t> first_key = {0, 0};
  std::vector<std::size_t> chosen = {0, 2};
  act::calibration_options options = {};
};

/// Decodes two sequences, the second of which pauses every third step.
template <class T>
void check(const decoding_case& c, unsigned seed) {
  constexpr std::size_t batches = 2, heads = 3;
  const std::size_t most = c.prompt + c.steps, capacity = most + 5;
  const auto whole = act_test::random_map<T>({.batches = batches,
                                              .heads = heads,
                                              .queries = most,
                                              .keys = most,
                                              .window = c.window,
                                              .first_key = c.first_key},
                                             seed);
  std::vector<std::int32_t> first{static_cast<std::int32_t>(c.first_key[0]),
                                  static_cast<std::int32_t>(c.first_key[1])};
  const act::cuda::visibility visible{0, first.data(), c.window};
  const std::vector<std::uint32_t> bits = act_test::bits_of(c.chosen, heads);

  std::vector<double> memory(act::cuda::tracker_size(batches, heads, capacity, c.options.sinks) / 8 + 2, 0.0);
  void* const at = memory.data() + (reinterpret_cast<std::uintptr_t>(memory.data()) % 16 == 0 ? 0 : 1);
  const act::cuda::tracker_state state{at, batches, heads, capacity};

  // The prompt, on both sides from the same sums.
  std::vector<act::sink_tracker> trackers(batches * heads, act::sink_tracker(c.options));
  std::vector<double> sums(batches * heads * capacity, 0.0);
  const act::visibility core{0, c.first_key, c.window};
  if (c.prompt > 0) {
    act::attention_view<T> prompt = whole.span();
    prompt.queries = c.prompt;
    for (std::size_t b = 0; b < batches; ++b) {
      for (std::size_t h = 0; h < heads; ++h) {
        double* const here = sums.data() + (b * heads + h) * capacity;
        std::vector<double> each(most, 0.0);
        act::add_column_sums(prompt, b, h, std::span<double>(each));
        std::copy_n(each.data(), c.prompt, here);
        trackers[b * heads + h].start(std::span<const double>(here, c.prompt), core, b, c.prompt);
      }
    }
    REQUIRE(act_test::start_there(seed, state, sums.data(), capacity, visible, c.prompt, bits, c.options) ==
            status::ok);
  }

  if (c.prompt == 0) {
    // Whatever sequence this memory had before, a start without a prompt forgets it.
    const std::vector<double> earlier(batches * heads * capacity, 1.0);
    REQUIRE(act_test::start_there(seed, state, earlier.data(), capacity, visible, capacity, bits,
                                  c.options) == status::ok);
    REQUIRE(act_test::start_there(seed, state, nullptr, 0, visible, 0, bits, c.options) == status::ok);
    // A core tracker learns of padding at its start.
    for (std::size_t here = 0; here < trackers.size(); ++here)
      trackers[here].start({}, core, here / heads, 0);
  }
  std::vector<std::size_t> length(batches, c.prompt);
  INFO("prompt " << c.prompt << " window " << c.window << " seed " << seed);
  for (std::size_t step = 0; step < c.steps; ++step) {
    std::vector<T> rows(batches * heads * capacity, T(-3.0F));
    std::vector<std::int32_t> lengths(batches, 0);
    for (std::size_t b = 0; b < batches; ++b) {
      if (b == 1 && step % 3 == 2) continue;
      lengths[b] = static_cast<std::int32_t>(++length[b]);
      for (std::size_t h = 0; h < heads; ++h)
        std::copy_n(whole.span().row(b, h, length[b] - 1), length[b],
                    rows.data() + (b * heads + h) * capacity);
    }
    const std::vector<T> raw = rows;
    std::vector<double> moved(batches * heads, -1);
    auto map = act::cuda::attention_map<T>::packed(rows.data(), batches, heads, 1, capacity, visible);
    REQUIRE(act_test::step_there<T>(seed, state, map, lengths.data(), bits, c.options, moved.data()) ==
            status::ok);
    for (std::size_t b = 0; b < batches; ++b) {
      for (std::size_t h = 0; h < heads; ++h) {
        const std::size_t here = b * heads + h;
        std::vector<T> expected(raw.begin() + static_cast<std::ptrdiff_t>(here * capacity),
                                raw.begin() + static_cast<std::ptrdiff_t>((here + 1) * capacity));
        const T* const got = rows.data() + here * capacity;
        if (lengths[b] == 0 || std::find(c.chosen.begin(), c.chosen.end(), h) == c.chosen.end()) {
          CHECK(std::memcmp(got, expected.data(), capacity * sizeof(T)) == 0);
          continue;
        }
        act::sink_tracker& tracker = trackers[here];
        const act::key_range seen = core.row(b, length[b] - 1);
        const double mass = tracker.calibrate_row(std::span<T>(expected.data(), length[b]), seen);
        CHECK(moved[here] == doctest::Approx(mass).epsilon(1e-6));
        std::vector<std::size_t> sinks;
        const std::uint32_t* const words =
            act::cuda::tracker_sinks(state) + here * act::cuda::tracker_words(capacity);
        for (std::size_t j = 0; j < capacity; ++j) {
          if ((words[j / 32] >> j % 32 & 1U) != 0) sinks.push_back(j);
        }
        CHECK(std::equal(sinks.begin(), sinks.end(), tracker.sinks().begin(), tracker.sinks().end()));
        for (std::size_t j = 0; j < capacity; ++j) {
          const double a = static_cast<double>(got[j]), e = static_cast<double>(expected[j]);
          CHECK(std::abs(a - e) <=
                act_test::element_bound<T> * std::abs(e) + (sizeof(T) == 2 ? 0x1p-24 : 1e-44));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("cuda: trackers decode as the core's do", T, float, act::float16, act::bfloat16) {
  for (unsigned seed = 1; seed <= 24; seed += act_test::case_stride) {
    decoding_case c{.prompt = seed % 5 == 0 ? 0U : seed * 3, .steps = 12};
    c.window = seed % 4 == 1 ? 4 + seed % 9 : 0;
    if (seed % 3 == 0)
      c.first_key = {2, c.prompt + 3};  // the second sequence's first real key is still to come
    c.options.sinks.rule = static_cast<act::sink_rule>(seed % 3);
    c.options.sinks.alpha = 2;
    c.options.sinks.min_visible_rows = 1 + seed % 2;
    if (seed % 5 == 2) c.options.sinks.position_limit = c.prompt + seed % 3;
    c.options.beta = seed % 7 == 0 ? 1 : 0.4;
    if (seed == 8) c.chosen = {0, 1, 2};
    check<T>(c, seed);
  }
}

TEST_CASE("cuda: a tracker of hundreds of keys") {
  check<float>({.prompt = 290, .steps = 15}, 3);
  check<float>({.prompt = 1030, .steps = 2}, 4);
}

TEST_CASE("cuda: trackers decide alike about rows at the boundary of changing") {
  constexpr std::size_t keys = 40, sink = 21, other = 0;
  act::calibration_options options;
  options.sinks.rule = act::sink_rule::absolute;
  options.sinks.tau = 0;
  unsigned seed = 0;
  for (const act_test::boundary_row<float>& each : act_test::boundary_rows<float>()) {
    INFO(each.name);
    std::vector<float> row(keys, 0.0F);
    row[sink] = each.on_sink;
    row[other] = each.elsewhere;
    const std::vector<float> before = row;
    std::vector<float> expected = row;
    act::sink_tracker tracker(options);
    const double freed = tracker.calibrate_row(std::span<float>(expected));

    std::vector<double> memory(act::cuda::tracker_size(1, 1, keys, options.sinks) / 8 + 2, 0.0);
    void* const at = memory.data() + (reinterpret_cast<std::uintptr_t>(memory.data()) % 16 == 0 ? 0 : 1);
    const act::cuda::tracker_state state{at, 1, 1, keys};
    const auto map = act::cuda::attention_map<float>::packed(row.data(), 1, 1, 1, keys);
    const std::int32_t length = keys;
    const std::vector<std::uint32_t> all{1};
    double moved = -1;
    REQUIRE(act_test::step_there<float>(++seed, state, map, &length, all, options, &moved) == status::ok);
    CHECK(moved == doctest::Approx(freed));
    CHECK((std::memcmp(row.data(), before.data(), sizeof(float) * keys) != 0) == each.changes);
    CHECK((std::memcmp(expected.data(), before.data(), sizeof(float) * keys) != 0) == each.changes);
    for (std::size_t j = 0; each.changes && j < keys; ++j)
      CHECK(std::abs(row[j] - expected[j]) <=
            static_cast<float>(act_test::element_bound<float>) * expected[j] + 1e-44F);
  }
}

TEST_CASE("cuda: trackers begin with the same sinks at the threshold") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  unsigned seed = 0;
  for (const act_test::boundary_column& each : act_test::boundary_columns()) {
    INFO(each.name);
    act::calibration_options options;
    options.sinks = each.options;
    const std::size_t keys = each.last_row, queries = each.last_row - each.first_row;
    const std::vector<std::size_t> padding{each.first_key};
    const act::visibility core{each.first_row, padding, each.window};
    const auto rows = static_cast<double>(core.rows_seeing(0, each.key, each.first_row, each.last_row));
    const double exactly = each.factor * (each.measure * rows);
    const std::int32_t initial = static_cast<std::int32_t>(each.first_key);
    for (const double sum :
         {std::nextafter(exactly, -infinity), exactly, std::nextafter(exactly, infinity)}) {
      INFO("sum " << sum);
      std::vector<double> sums(keys, 0.0);
      sums[each.key] = sum;
      const bool expected = sum > exactly && each.may_be_sink;
      act::sink_tracker tracker(options);
      tracker.start(std::span<const double>(sums), core, 0, queries);
      CHECK(tracker.sinks().size() == (expected ? 1U : 0U));

      std::vector<double> memory(act::cuda::tracker_size(1, 1, keys, options.sinks) / 8 + 2, 0.0);
      void* const at = memory.data() + (reinterpret_cast<std::uintptr_t>(memory.data()) % 16 == 0 ? 0 : 1);
      const act::cuda::tracker_state state{at, 1, 1, keys};
      const std::vector<std::uint32_t> all{1};
      REQUIRE(act_test::start_there(++seed, state, sums.data(), keys, {each.first_row, &initial, each.window},
                                    queries, all, options) == status::ok);
      const std::uint32_t found = *act::cuda::tracker_sinks(state);
      CHECK(found == (expected ? std::uint32_t{1} << each.key : 0));
    }
  }
}
