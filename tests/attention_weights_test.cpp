// Maps from queries and keys, against the double oracle, and against outputs that never saw one.
#include <act/attention_weights.hpp>
#include <act/calibrated_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "paths.hpp"
#include "random_attention.hpp"

namespace {

/// Largest difference of a weight from the oracle's, over a random shape and options. Rows of the map lie a
/// few elements apart; those between must stay as they are, and all others be written.
template <class T, class Arch>
double largest_error(unsigned seed) {
  std::mt19937 random(seed * 7919);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::size_t batches = 1 + below(2), kv_heads = 1 + below(2), heads = kv_heads * (1 + below(3));
  const std::size_t queries = 1 + below(90), offset = below(2) * below(60), channels = 1 + below(70);
  const std::size_t keys = offset + queries + below(3), gap = below(4);
  const std::size_t window = below(3) == 0 ? 1 + below(40) : 0;
  std::vector<std::size_t> first_key(batches);
  for (std::size_t& each : first_key)
    each = below(2) * below(queries + 1);
  const double soft_cap = below(4) == 0 ? 5.0 : 0.0;
  std::vector<float> slopes, sink_logits;
  for (std::size_t h = 0; h < heads; ++h) {
    if (seed % 4 == 1) slopes.push_back(std::ldexp(1.0F, -static_cast<int>(h) - 1));
    if (seed % 5 == 2) sink_logits.push_back(static_cast<float>(h) - 1);
  }
  const act_test::random_attention<T> x(batches, heads, kv_heads, queries, keys, channels, 1, seed, 3,
                                        below(2) == 0);

  const T untouched = T(-7);
  std::vector<T> memory(batches * heads * queries * (keys + gap), untouched);
  act::attention_span<T> map{.data = memory.data(),
                             .batches = batches,
                             .heads = heads,
                             .queries = queries,
                             .keys = keys,
                             .batch_stride = heads * queries * (keys + gap),
                             .head_stride = queries * (keys + gap),
                             .query_stride = keys + gap,
                             .visible = {offset, first_key, window}};
  act::attention_weights<T, Arch>(x.q.tensor(), x.k.tensor(), map,
                                  {.soft_cap = soft_cap, .slopes = slopes, .sink_logits = sink_logits});

  reference::map oracle{.batches = batches,
                        .heads = heads,
                        .queries = queries,
                        .keys = keys,
                        .query_offset = offset,
                        .window = window,
                        .first_key = first_key,
                        .weights = {}};
  reference::attend(oracle, x.q.to_reference(), x.k.to_reference(),
                    {1 / std::sqrt(static_cast<double>(channels)),
                     soft_cap,
                     {slopes.begin(), slopes.end()},
                     {sink_logits.begin(), sink_logits.end()}});
  double worst = 0;
  for (std::size_t b = 0; b < batches; ++b) {
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < queries; ++i) {
        const act::key_range sees = map.visible.row(b, i);
        for (std::size_t j = 0; j < keys; ++j) {
          const double got = static_cast<double>(map.row(b, h, i)[j]);
          if (j < sees.begin || j >= sees.end) CHECK(got == 0);
          worst = std::max(worst, std::abs(got - oracle.at(b, h, i, j)));
        }
        for (std::size_t j = keys; j < keys + gap; ++j)
          CHECK(map.row(b, h, i)[j] == untouched);
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE_TEMPLATE("attention weights equal the oracle's", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  double worst = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const double error = largest_error<T, typename path::arch>(seed);
    CHECK(error <= (sizeof(T) == 8 ? 1e-13 : 2e-6));
    worst = std::max(worst, error);
  }
  MESSAGE("largest difference of a weight: " << worst);
}

TEST_CASE_TEMPLATE("weights of half types are right to their rounding", Half, act::float16, act::bfloat16) {
  const double step = sizeof(Half) == 2 && static_cast<float>(Half(1.001F)) == 1 ? 1.0 / 256 : 1.0 / 2048;
  for (unsigned seed = 1; seed <= 10; ++seed)
    CHECK(largest_error<Half, act::simd::default_arch>(seed) <= step);
}

TEST_CASE("the product of the weights with V is what attention gives") {
  act_test::random_attention<float> x(2, 4, 2, 70, 70, 24, 16, 5);
  act::calibrated_attention(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), act::layer_heads{});
  std::vector<float> memory(2 * 4 * 70 * 70);
  const auto map = act::attention_span<float>::packed(memory.data(), 2, 4, 70, 70);
  act::attention_weights(x.q.tensor(), x.k.tensor(), map);
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t h = 0; h < 4; ++h) {
      for (std::size_t i = 0; i < 70; ++i) {
        for (std::size_t c = 0; c < 16; ++c) {
          double sum = 0;
          for (std::size_t j = 0; j < 70; ++j)
            sum += double(map.row(b, h, i)[j]) * double(x.v.tensor().row(b, h / 2, j)[c]);
          CHECK(double(x.out.tensor().row(b, h, i)[c]) == doctest::Approx(sum).epsilon(1e-4));
        }
      }
    }
  }
}

TEST_CASE("a row of weights with a score that isn't finite is NaN as far as it sees, and no other is") {
  act_test::random_attention<float> x(1, 2, 1, 40, 40, 12, 1, 9);
  x.q.tensor().row(0, 1, 21)[3] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> memory(2 * 40 * 40);
  const auto map = act::attention_span<float>::packed(memory.data(), 1, 2, 40, 40);
  act::attention_weights(x.q.tensor(), x.k.tensor(), map);
  for (std::size_t h = 0; h < 2; ++h) {
    for (std::size_t i = 0; i < 40; ++i) {
      for (std::size_t j = 0; j < 40; ++j)
        CHECK(std::isnan(map.row(0, h, i)[j]) == (h == 1 && i == 21 && j <= 21));
    }
  }
}

TEST_CASE("a map that doesn't fit its queries and keys is refused before anything is written") {
  act_test::random_attention<float> x(1, 2, 1, 4, 6, 8, 1, 1);
  std::vector<float> memory(2 * 5 * 6, -1);
  const auto refused = [&](const act::attention_span<float>& map,
                           const act::attention_options& options = {}) {
    CHECK_THROWS_AS(act::attention_weights(x.q.tensor(), x.k.tensor(), map, options), act::error);
    CHECK(memory == std::vector<float>(memory.size(), -1));
  };
  refused(act::attention_span<float>::packed(memory.data(), 1, 2, 5, 6));
  refused(act::attention_span<float>::packed(memory.data(), 1, 1, 4, 6));
  refused(act::attention_span<float>::packed(memory.data(), 1, 2, 4, 5));
  refused(act::attention_span<float>::packed(memory.data(), 1, 2, 4, 6, {.query_offset = 3}));
  refused(act::attention_span<float>::packed(nullptr, 1, 2, 4, 6));
  refused(act::attention_span<float>::packed(memory.data(), 1, 2, 4, 6), {.soft_cap = -1});
  const std::vector<float> slopes(3);
  refused(act::attention_span<float>::packed(memory.data(), 1, 2, 4, 6), {.slopes = slopes});
}
