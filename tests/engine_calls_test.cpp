// The forms for engines: they answer what the throwing ones throw, write the same bits, in memory and on
// threads of the caller's, from several threads at once. That they allocate nothing, tests/allocation says.
#include <act/attention_weights.hpp>
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "random/random_attention.hpp"
#include "random/random_map.hpp"

using act_test::random_attention;
using act_test::random_map;
using act_test::same_bits;

namespace {

/// An engine's threads: one for each task. It counts what it was asked for.
struct thread_pool {
  std::size_t asked = 0, most = 0;
  template <class Each>
  void operator()(std::size_t count, Each&& each) {
    ++asked;
    most = std::max(most, count);
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < count; ++number)
      threads.emplace_back([&, number] { each(number); });
    for (std::thread& thread : threads)
      thread.join();
  }
};

/// Tasks one after another, the last first.
struct backwards {
  template <class Each>
  void operator()(std::size_t count, Each&& each) {
    while (count > 0)
      each(--count);
  }
};

/// Memory of the caller's that says whether a call wrote behind its end.
struct guarded_memory {
  explicit guarded_memory(std::size_t size) : bytes(size + 64, std::byte{0xa5}), used(size) {}
  [[nodiscard]] std::span<std::byte> span() { return std::span(bytes).first(used); }
  [[nodiscard]] bool whole() const {
    return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end(),
                       [](std::byte each) { return each == std::byte{0xa5}; });
  }
  std::vector<std::byte> bytes;
  std::size_t used;
};

/// A report of the caller's.
struct owned_report {
  owned_report(std::size_t batches, std::size_t heads, std::size_t keys)
      : scores(batches * heads * keys, -1),
        counts(batches * heads, 999),
        positions(batches * heads * keys, 999),
        moved(batches * heads, -1),
        heads_(heads),
        keys_(keys) {}
  [[nodiscard]] act::report_memory memory() {
    return {scores.data(), counts.data(), positions.data(), moved.data()};
  }
  /// Says the same as the other kind.
  void check(const act::calibration_report& expected) const {
    std::size_t written = 0;
    for (const act::head_report& each : expected.heads) {
      const std::size_t at = each.batch * heads_ + each.head;
      REQUIRE(counts[at] == each.sinks.size());
      CHECK(moved[at] == each.moved_mass);
      for (std::size_t s = 0; s < each.sinks.size(); ++s) {
        CHECK(positions[at * keys_ + s] == each.sinks[s].position);
        CHECK(scores[at * keys_ + each.sinks[s].position] == each.sinks[s].score);
      }
      ++written;
    }
    CHECK(static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 999U)) ==
          counts.size() - written);
  }
  std::vector<double> scores;
  std::vector<std::size_t> counts, positions;
  std::vector<double> moved;
  std::size_t heads_, keys_;
};

/// Every kind of threads that a call may be given.
template <class Use>
void with_each_executor(Use&& use) {
  thread_pool pool;
  backwards reverse;
  use(act::executor{}, "OpenMP");
  use(act::executor::serial(), "serial");
  use(act::executor::of(pool, 3), "a pool");
  use(act::executor::of(reverse, 5), "one after another");
  CHECK(pool.most <= 3);
}

}  // namespace

TEST_CASE_TEMPLATE("calibrate answers what it throws, in the caller's memory and threads", T, float, double,
                   act::bfloat16) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    act_test::map_shape shape = act_test::random_shape(seed);
    shape.heads = 1 + seed % 5;
    if (seed > 8) shape.queries = 130, shape.keys = shape.query_offset + 140, shape.first_key = {};
    const act::layer_heads heads = seed % 2 == 0 ? act::layer_heads::all() : act::layer_heads{0};
    random_map<T> expected(shape, seed);
    const act::calibration_report report = act::calibrate(expected.span(), heads);
    with_each_executor([&](const act::executor& on, const std::string& name) {
      CAPTURE(name);
      random_map<T> map(shape, seed);
      guarded_memory memory(act::calibrate_workspace(map.span(), heads));
      owned_report own(shape.batches, shape.heads, shape.keys);
      CHECK(act::try_calibrate(map.span(), heads, {},
                               {.workspace = memory.span(), .run_on = on, .report = own.memory()}) ==
            act::status::ok);
      CHECK(same_bits(map.elements(), expected.elements()));
      CHECK(memory.whole());
      own.check(report);
    });
  }
}

TEST_CASE("a pool gets the work of every form, and no more tasks than it has workers") {
  thread_pool pool;
  const act::executor on = act::executor::of(pool, 4);
  random_map<float> map({.heads = 9, .queries = 120, .keys = 120}, 3);
  guarded_memory memory(act::calibrate_workspace(map.span(), act::layer_heads::all()));
  CHECK(act::try_calibrate(map.span(), act::layer_heads::all(), {},
                           {.workspace = memory.span(), .run_on = on}) == act::status::ok);
  CHECK(pool.asked == 1);
  CHECK(pool.most == 4);
  random_attention<float> x(1, 3, 3, 200, 200, 32, 32, 3);
  const auto &q = x.q.tensor(), &k = x.k.tensor(), &v = x.v.tensor(), &out = x.out.tensor();
  const auto bytes = act::calibrated_attention_workspace(q, k, v, out, act::layer_heads::all(), {}, {}, on);
  guarded_memory room(bytes);
  CHECK(act::try_calibrated_attention(q, k, v, out, act::layer_heads::all(), {}, {},
                                      {.workspace = room.span(), .run_on = on}) == act::status::ok);
  CHECK(pool.asked == 2);
  CHECK(bytes < act::calibrated_attention_workspace(q, k, v, out, act::layer_heads::all(), {}, {},
                                                    act::executor::of(pool, 3)) +
                    1);  // three heads: a fourth worker gets nothing
}

TEST_CASE_TEMPLATE("calibrated_attention answers what it throws, in the caller's memory and threads", T,
                   float, double, act::float16) {
  for (const std::size_t queries : {3UL, 40UL, 150UL}) {
    for (const std::size_t kept : {std::size_t{0}, act::attention_options{}.kept_weights}) {
      for (const auto how : {act::redistribution::proportional, act::redistribution::uniform}) {
        CAPTURE(queries);
        const act::attention_options options{.kept_weights = kept};
        const act::calibration_options calibration{.redistribute = how};
        const act::layer_heads heads{0, 2, 3};
        const auto inputs = [&] { return random_attention<T>(2, 4, 2, queries, queries, 40, 24, 7); };
        random_attention<T> expected = inputs();
        const auto report =
            act::calibrated_attention<T>(expected.q.tensor(), expected.k.tensor(), expected.v.tensor(),
                                         expected.out.tensor(), heads, calibration, options);
        with_each_executor([&](const act::executor& on, const std::string& name) {
          CAPTURE(name);
          random_attention<T> x = inputs();
          const auto &q = x.q.tensor(), &k = x.k.tensor(), &v = x.v.tensor();
          guarded_memory memory(act::calibrated_attention_workspace<T>(q, k, v, x.out.tensor(), heads,
                                                                       calibration, options, on));
          owned_report own(2, 4, queries);
          const act::call_context context{.workspace = memory.span(), .run_on = on, .report = own.memory()};
          CHECK(act::try_calibrated_attention<T>(q, k, v, x.out.tensor(), heads, calibration, options,
                                                 context) == act::status::ok);
          CHECK(same_bits(x.out.numbers(), expected.out.numbers()));
          CHECK(memory.whole());
          own.check(report);
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("correct_output answers what it throws, in the caller's memory and threads", T, float,
                   double, act::bfloat16) {
  using A = act::accumulator_t<T>;
  for (const std::size_t queries : {2UL, 90UL}) {
    const act::layer_heads heads{1, 2};
    const std::vector<A> log_sum_exp(2 * 4 * queries, A(5));
    const auto inputs = [&] { return random_attention<T>(2, 4, 2, queries, queries, 40, 24, 7); };
    random_attention<T> expected = inputs();
    std::vector<double> expected_sums(2 * 4 * queries, 0.25);
    const auto report =
        act::correct_output<T>(expected.out.tensor(), std::span<const A>(log_sum_exp), expected.q.tensor(),
                               expected.k.tensor(), expected.v.tensor(), heads, {}, {}, {}, expected_sums);
    with_each_executor([&](const act::executor& on, const std::string& name) {
      CAPTURE(name);
      random_attention<T> x = inputs();
      std::vector<double> sums(2 * 4 * queries, 0.25);
      const auto &q = x.q.tensor(), &k = x.k.tensor(), &v = x.v.tensor();
      guarded_memory memory(act::correct_output_workspace<T>(x.out.tensor(), q, k, v, heads, {}, {}, on));
      owned_report own(2, 4, queries);
      const act::call_context context{.workspace = memory.span(), .run_on = on, .report = own.memory()};
      CHECK(act::try_correct_output<T>(x.out.tensor(), std::span<const A>(log_sum_exp), q, k, v, heads, {},
                                       {}, context, {}, sums) == act::status::ok);
      CHECK(same_bits(x.out.numbers(), expected.out.numbers()));
      CHECK(sums == expected_sums);
      CHECK(memory.whole());
      own.check(report);
    });
  }
}

TEST_CASE_TEMPLATE("attention_weights answers what it throws, in the caller's memory and threads", T, float,
                   act::float16) {
  for (const std::size_t queries : {3UL, 70UL}) {
    const random_attention<T> x(2, 4, 2, queries, queries, 40, 24, 7);
    std::vector<T> expected(2 * 4 * queries * queries);
    const auto map_of = [&](std::vector<T>& weights) {
      return act::attention_span<T>::packed(weights.data(), 2, 4, queries, queries);
    };
    act::attention_weights<T>(x.q.tensor(), x.k.tensor(), map_of(expected));
    with_each_executor([&](const act::executor& on, const std::string& name) {
      CAPTURE(name);
      std::vector<T> weights(expected.size(), T(7));
      guarded_memory memory(
          act::attention_weights_workspace<T>(x.q.tensor(), x.k.tensor(), map_of(weights), {}, on));
      act::call_context context{.workspace = memory.span().first(memory.used - 1), .run_on = on};
      CHECK(act::try_attention_weights<T>(x.q.tensor(), x.k.tensor(), map_of(weights), {}, context) ==
            act::status::workspace_too_small);
      CHECK(static_cast<float>(weights.front()) == 7);
      context.workspace = memory.span();
      CHECK(act::try_attention_weights<T>(x.q.tensor(), x.k.tensor(), map_of(weights), {}, context) ==
            act::status::ok);
      CHECK(same_bits(weights, expected));
      CHECK(memory.whole());
    });
  }
}

TEST_CASE("decoding answers what it throws, in the caller's memory and threads") {
  constexpr std::size_t steps = 40, heads = 4;
  const act::layer_heads chosen{0, 3};
  const auto run = [&](auto&& step) {
    random_attention<float> x(1, heads, 2, steps, steps, 64, 64, 5);
    std::vector<act::sink_tracker> trackers(heads);
    for (std::size_t at = 0; at < steps; ++at) {
      auto q = x.q.tensor(), k = x.k.tensor(), v = x.v.tensor(), out = x.out.tensor();
      q.data = q.row(0, 0, at), out.data = out.row(0, 0, at);
      q.tokens = out.tokens = 1;
      k.tokens = v.tokens = at + 1;
      step(q, k, v, out, std::span(trackers), act::attention_options{.visible = {.query_offset = at}});
    }
    std::vector<std::vector<std::byte>> states;
    for (const act::sink_tracker& each : trackers)
      states.push_back(each.save());
    return std::pair(x.out.numbers(), states);
  };
  act::attention_workspace<float> workspace;
  const auto expected = run([&](auto&& q, auto&& k, auto&& v, auto&& out, auto trackers, auto&& options) {
    act::decoding_attention(q, k, v, out, chosen, trackers, options, workspace);
  });
  with_each_executor([&](const act::executor& on, const std::string& name) {
    CAPTURE(name);
    const auto got = run([&](auto&& q, auto&& k, auto&& v, auto&& out, auto trackers, auto&& options) {
      guarded_memory memory(act::decoding_attention_workspace(q, k, v, out, options, on));
      const act::call_context context{.workspace = memory.span(), .run_on = on};
      if (q.data == nullptr) return;
      if (trackers[0].capacity() < k.tokens) {
        act::problem why;
        act::call_context asking = context;
        asking.refused = &why;
        CHECK(act::try_decoding_attention(q, k, v, out, chosen, trackers, options, asking) ==
              act::status::workspace_too_small);
        CHECK(why.where == "trackers");
        for (act::sink_tracker& each : trackers)
          each.reserve(steps);
      }
      CHECK(act::try_decoding_attention(q, k, v, out, chosen, trackers, options, context) == act::status::ok);
      CHECK(memory.whole());
    });
    CHECK(same_bits(got.first, expected.first));
    CHECK(got.second == expected.second);
  });
}

TEST_CASE("a tracker's forms without exceptions answer what the others throw, and change the same") {
  std::vector<std::vector<float>> rows;
  for (std::size_t n = 1; n <= 150; ++n) {
    rows.emplace_back(n, 0.5F / static_cast<float>(n));
    rows.back()[n / 3] += 0.25F;
    rows.back()[std::min<std::size_t>(n - 1, 5)] += 0.25F;
  }
  for (const act::sink_rule rule : {act::sink_rule::relative, act::sink_rule::baseline_corrected}) {
    const act::calibration_options options{.sinks = {.rule = rule}};
    act::sink_tracker expected(options), tracker(options);
    const std::vector<double> sums{1, 4, 2, 0.5, 0.25};
    act::problem why;
    CHECK(tracker.try_start(sums, {}, 0, 4, &why) == act::status::invalid_shape);
    CHECK(why.where == "sums");
    CHECK(tracker.try_start(sums, {}, 0, 5, &why) == act::status::workspace_too_small);
    CHECK(tracker.keys() == 0);
    tracker.reserve(150);
    CHECK(tracker.try_start(sums, {}, 0, 5) == act::status::ok);
    expected.start(sums, {}, 0, 5);
    CHECK(tracker.save() == expected.save());
    for (std::size_t n = 6; n <= 150; ++n) {
      std::vector<float> row = rows[n - 1], other = row;
      double moved = -1;
      const double mass = expected.calibrate_row(std::span(other), {0, n});
      CHECK(tracker.try_calibrate_row(std::span(row), {0, n}, &moved) == act::status::ok);
      CHECK(moved == mass);
      CHECK(same_bits(row, other));
    }
    CHECK(tracker.save() == expected.save());
    CHECK_FALSE(tracker.sinks().empty());
    std::vector<float> longer(tracker.capacity() + 1, 0.1F), before = longer;
    CHECK(tracker.try_calibrate_row(std::span(longer), {0, longer.size()}) ==
          act::status::workspace_too_small);
    CHECK(longer == before);
    CHECK(tracker.try_calibrate_row(std::span(longer).first(3), {0, 3}, nullptr, &why) ==
          act::status::invalid_shape);
    CHECK(why.where == "row");
    float factor = 0;
    CHECK(tracker.try_calibrate_unnormalised(std::span(longer).first(150), {0, 151}, 1.0F, 1, factor) ==
          act::status::invalid_shape);
    CHECK(tracker.save() == expected.save());
  }
}

TEST_CASE("what is refused is said without exceptions, and nothing is written") {
  random_map<float> map({.batches = 2, .heads = 2, .queries = 30, .keys = 30}, 1);
  const auto before = map.elements();
  guarded_memory memory(act::calibrate_workspace(map.span(), act::layer_heads::all()));
  const auto refused = [&](act::attention_span<float> of, const act::layer_heads& heads,
                           const act::calibration_options& options, act::status code,
                           const std::string& where, std::span<std::byte> workspace,
                           std::span<double> carried = {}) {
    CAPTURE(where);
    act::problem why;
    const act::call_context context{.workspace = workspace, .refused = &why};
    CHECK(act::try_calibrate(of, heads, options, context, carried) == code);
    CHECK(std::string(why.where) == where);
    CHECK_FALSE(why.message.empty());
    CHECK(act::try_calibrate(of, heads, options, {.workspace = workspace}, carried) == code);
    CHECK(same_bits(map.elements(), before));
  };
  const act::layer_heads all = act::layer_heads::all();
  act::attention_span<float> overlapping = map.span();
  overlapping.query_stride = 3;
  refused(overlapping, all, {}, act::status::invalid_shape, "query_stride", memory.span());
  refused(map.span(), {7}, {}, act::status::invalid_option, "heads", memory.span());
  refused(map.span(), all, {.beta = 2}, act::status::invalid_option, "beta", memory.span());
  act::attention_span<float> window = map.span();
  window.visible.window = 4;
  refused(window, all, {.behave_as = act::compatibility::authors}, act::status::unsupported, "behave_as",
          memory.span());
  refused(map.span(), all, {}, act::status::workspace_too_small, "workspace", {});
  refused(map.span(), all, {}, act::status::workspace_too_small, "workspace",
          memory.span().first(memory.used - 1));
  refused(map.span(), all, {}, act::status::workspace_too_small, "workspace",
          std::span(memory.bytes).subspan(8, memory.used));
  std::vector<double> few(7);
  refused(map.span(), all, {}, act::status::invalid_option, "carried_sums", memory.span(), few);
  std::vector<double> sums(2 * 2 * 30);
  refused(map.span(), all, {.behave_as = act::compatibility::authors}, act::status::unsupported,
          "carried_sums", memory.span(), sums);
  CHECK(act::calibrate_workspace(overlapping, all) == 0);
  for (const act::status each :
       {act::status::ok, act::status::invalid_shape, act::status::invalid_option, act::status::unsupported,
        act::status::workspace_too_small, act::status::launch_failed})
    CHECK(std::string(act::describe(each)) != "not a status");
}

TEST_CASE("a call without a row is ok and reports nothing") {
  float weight = 0.5F;
  for (const std::size_t keys : {0UL, 4UL}) {
    const auto map = act::attention_span<float>::packed(&weight, 2, 3, 0, keys);
    CHECK(act::calibrate(map, {0, 1}).heads.empty());
    std::vector<std::size_t> counts(6, 77);
    CHECK(act::try_calibrate(map, {0, 1}, {}, {.report = {.sink_counts = counts.data()}}) == act::status::ok);
    CHECK(counts == std::vector<std::size_t>(6, 77));
  }
  CHECK(weight == 0.5F);
}

TEST_CASE("several threads call at once, each with memory and a pool of its own") {
  random_map<float> once({.heads = 8, .queries = 100, .keys = 100}, 9);
  act::calibrate(once.span(), act::layer_heads::all());
  std::vector<std::unique_ptr<random_map<float>>> maps;
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    maps.push_back(
        std::make_unique<random_map<float>>(act_test::map_shape{.heads = 8, .queries = 100, .keys = 100}, 9));
    callers.emplace_back([&right, caller, map = maps.back().get()] {
      const act::layer_heads all = act::layer_heads::all();
      thread_pool pool;
      guarded_memory memory(act::calibrate_workspace(map->span(), all));
      // Half of them share OpenMP's threads.
      const act::executor on = caller % 2 == 0 ? act::executor::of(pool, 2) : act::executor{};
      const auto done = act::try_calibrate(map->span(), all, {}, {.workspace = memory.span(), .run_on = on});
      right += done == act::status::ok && memory.whole() ? 1 : 0;
    });
  }
  for (std::thread& each : callers)
    each.join();
  CHECK(right == 6);
  for (const auto& map : maps)
    CHECK(same_bits(map->elements(), once.elements()));
}
