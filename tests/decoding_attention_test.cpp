// Decoding steps: plain rows against calibrated_attention, calibrated rows against the double oracle's
// running column sums.
#include <act/calibrated_attention.hpp>
#include <act/decoding_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_map.hpp"

using act_test::random_attention;

namespace {

constexpr std::size_t heads = 4, kv_heads = 2, prompt = 30, steps = 20, keys = prompt + steps;

// Tokens [from, from + count) of a tensor.
template <class T>
act::head_tensor<T> tokens(act::head_tensor<T> all, std::size_t from, std::size_t count) {
  all.data = all.row(0, 0, from);
  all.tokens = count;
  return all;
}

/// Runs a prompt and then single steps through the library: heads 0, 2 and 3 calibrated.
template <class T, class Arch>
void decode(random_attention<T>& x, std::size_t window) {
  const act::layer_heads chosen{0, 2, 3};
  std::vector<double> sums(heads * prompt);
  act::attention_workspace<act::accumulator_t<T>> workspace;
  act::calibrated_attention<T, Arch>(tokens(x.q.tensor(), 0, prompt), tokens(x.k.tensor(), 0, prompt),
                                     tokens(x.v.tensor(), 0, prompt), tokens(x.out.tensor(), 0, prompt),
                                     chosen, {}, {.visible = {.window = window}}, sums);
  std::vector<act::sink_tracker> trackers(heads);
  for (const std::size_t h : {0UL, 2UL, 3UL}) {
    trackers[h].start(std::span<const double>(sums).subspan(h * prompt, prompt), {.window = window}, 0,
                      prompt);
  }
  for (std::size_t at = prompt; at < keys; ++at) {
    act::decoding_attention<T, Arch>(tokens(x.q.tensor(), at, 1), tokens(x.k.tensor(), 0, at + 1),
                                     tokens(x.v.tensor(), 0, at + 1), tokens(x.out.tensor(), at, 1), chosen,
                                     trackers, {.visible = {.query_offset = at, .window = window}},
                                     workspace);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("decoded rows are the oracle's, calibrated by the raw rows so far", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  std::size_t calibrated_rows = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const std::size_t window = seed % 3 == 0 ? 17 : 0;
    random_attention<T> x(1, heads, kv_heads, keys, keys, 20, 24, seed);
    decode<T, typename path::arch>(x, window);

    reference::map m{
        .heads = heads, .queries = keys, .keys = keys, .window = window, .first_key = {0}, .weights = {}};
    reference::attend(m, x.q.to_reference(), x.k.to_reference(), {1 / std::sqrt(20.0), 0, {}, {}});
    const reference::tensor v = x.v.to_reference();
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = prompt; i < keys; ++i) {
        // The map as far as row i, with the sinks of all its raw rows; then row i alone is calibrated.
        reference::map far{
            .heads = 1, .queries = i + 1, .keys = i + 1, .window = window, .first_key = {0}, .weights = {}};
        far.weights.resize((i + 1) * (i + 1));
        for (std::size_t r = 0; r <= i; ++r) {
          for (std::size_t j = 0; j <= i; ++j)
            far.at(0, 0, r, j) = m.at(0, h, r, j);
        }
        if (h != 1) {
          const std::vector<std::size_t> sinks = reference::sinks(far, 0, 0, {});
          const double before = far.at(0, 0, i, i);
          reference::calibrate(far, 0, 0, sinks, 0.4);
          calibrated_rows += far.at(0, 0, i, i) != before ? 1 : 0;
        }
        for (std::size_t c = 0; c < 24; ++c) {
          double expected = 0;
          for (std::size_t j = 0; j <= i; ++j)
            expected += far.at(0, 0, i, j) * v.at(0, h * kv_heads / heads, j, c);
          const double got = static_cast<double>(x.out.tensor().row(0, h, i)[c]);
          CHECK(std::abs(got - expected) <= (sizeof(T) == 8 ? 1e-11 : 1e-5));
        }
      }
    }
  }
  CHECK(calibrated_rows > 100);
}

TEST_CASE("half types decode to one rounding of what float gives") {
  random_attention<act::bfloat16> x(1, heads, kv_heads, keys, keys, 20, 24, 3);
  random_attention<float> y(1, heads, kv_heads, keys, keys, 20, 24, 3);
  const auto widen = [](auto& from, auto& to) {
    for (std::size_t h = 0; h < from.tensor().heads; ++h) {
      for (std::size_t i = 0; i < from.tensor().tokens; ++i) {
        for (std::size_t c = 0; c < from.tensor().channels; ++c)
          to.tensor().row(0, h, i)[c] = static_cast<float>(from.tensor().row(0, h, i)[c]);
      }
    }
  };
  widen(x.q, y.q);
  widen(x.k, y.k);
  widen(x.v, y.v);
  decode<act::bfloat16, act::simd::default_arch>(x, 0);
  decode<float, act::simd::default_arch>(y, 0);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = prompt; i < keys; ++i) {
      for (std::size_t c = 0; c < 24; ++c) {
        const float wide = y.out.tensor().row(0, h, i)[c];
        CHECK(std::abs(static_cast<float>(x.out.tensor().row(0, h, i)[c]) - wide) <=
              std::abs(wide) * 0x1p-8F + 1e-5F);
      }
    }
  }
}

TEST_CASE("several rows at once equal one after another, on any number of threads") {
  const auto run = [](std::size_t rows, std::size_t threads) {
    act::set_thread_count(threads);
    random_attention<float> x(1, heads, kv_heads, 240, 240, 64, 64, 4);
    std::vector<act::sink_tracker> trackers(heads);
    act::attention_workspace<float> workspace;
    for (std::size_t at = 0; at < 240; at += rows) {
      act::decoding_attention<float>(tokens(x.q.tensor(), at, rows), tokens(x.k.tensor(), 0, at + rows),
                                     tokens(x.v.tensor(), 0, at + rows), tokens(x.out.tensor(), at, rows),
                                     act::layer_heads::all(), trackers, {.visible = {.query_offset = at}},
                                     workspace);
    }
    act::set_thread_count(0);
    return x.out.numbers();
  };
  const auto alone = run(1, 1);
  CHECK(act_test::same_bits(run(8, 1), alone));
  CHECK(act_test::same_bits(run(8, 2), alone));
}

TEST_CASE("a step of padding is a step") {
  random_attention<float> x(1, heads, kv_heads, 6, 6, 4, 4, 1);
  std::vector<act::sink_tracker> trackers(heads);
  act::attention_workspace<float> workspace;
  const std::vector<std::size_t> first_key{2};
  for (act::sink_tracker& each : trackers)
    each.start({}, {.first_key = first_key}, 0, 0);
  for (std::size_t at = 0; at < 6; ++at) {
    act::decoding_attention<float>(tokens(x.q.tensor(), at, 1), x.k.tensor(), x.v.tensor(),
                                   tokens(x.out.tensor(), at, 1), act::layer_heads::all(), trackers,
                                   {.visible = {.query_offset = at, .first_key = first_key}}, workspace);
    CHECK(trackers[1].keys() == at + 1);
    for (std::size_t c = 0; at < 2 && c < 4; ++c)
      CHECK(x.out.tensor().row(0, 1, at)[c] == 0);
  }
  CHECK(trackers[1].score(1) == 0);
  CHECK(trackers[1].score(2) > 0);
}

TEST_CASE("bad decoding requests are refused before the first write") {
  random_attention<float> x(1, heads, kv_heads, 8, 8, 4, 4, 1);
  const auto before = x.out.numbers();
  std::vector<act::sink_tracker> trackers(heads);
  act::attention_workspace<float> workspace;
  const auto refused = [&](std::size_t given, const act::attention_options& options) {
    try {
      act::decoding_attention<float>(tokens(x.q.tensor(), 7, 1), x.k.tensor(), x.v.tensor(),
                                     tokens(x.out.tensor(), 7, 1), act::layer_heads::all(),
                                     std::span(trackers).first(given), options, workspace);
    } catch (const act::error& e) {
      return e.where();
    }
    return std::string();
  };
  CHECK(refused(3, {.visible = {.query_offset = 7}}) == "trackers");
  CHECK(refused(4, {.visible = {.query_offset = 8}}) == "visible.query_offset");
  trackers[2].start(std::vector<double>(8, 0.1), {}, 0, 8);
  CHECK(refused(4, {.visible = {.query_offset = 7}}) == "trackers");
  CHECK(act_test::same_bits(x.out.numbers(), before));
}
