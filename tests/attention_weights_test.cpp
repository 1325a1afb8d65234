// Maps from queries and keys, against the double oracle, and against outputs that never saw one.
#include <act/attention_weights.hpp>
#include <act/calibrated_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_case.hpp"

namespace {

/// Largest difference of a weight from the oracle's, over a random shape and options. Rows of the map lie a
/// few elements apart; those between must stay as they are, and all others be written.
template <class T, class Arch>
double largest_error(unsigned seed) {
  const act_test::attention_case c = act_test::short_case(seed);
  const std::size_t gap = seed % 4, row = c.keys() + gap;
  const act_test::case_inputs<T> x(c);

  const T untouched = T(-7);
  std::vector<T> memory(c.batches * c.heads * c.queries * row, untouched);
  act::attention_span<T> map{.data = memory.data(),
                             .batches = c.batches,
                             .heads = c.heads,
                             .queries = c.queries,
                             .keys = c.keys(),
                             .batch_stride = c.heads * c.queries * row,
                             .head_stride = c.queries * row,
                             .query_stride = row,
                             .visible = c.options().visible};
  act::attention_weights<T, Arch>(x.q.tensor(), x.k.tensor(), map, c.options());

  const reference::map oracle = c.plain_map(x.q.to_reference(), x.k.to_reference());
  double worst = 0;
  for (std::size_t b = 0; b < c.batches; ++b) {
    for (std::size_t h = 0; h < c.heads; ++h) {
      for (std::size_t i = 0; i < c.queries; ++i) {
        const act::key_range sees = map.visible.row(b, i);
        for (std::size_t j = 0; j < c.keys(); ++j) {
          const double got = static_cast<double>(map.row(b, h, i)[j]);
          if (j < sees.begin || j >= sees.end) CHECK(got == 0);
          worst = std::max(worst, std::abs(got - oracle.at(b, h, i, j)));
        }
        for (std::size_t j = c.keys(); j < row; ++j)
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
  for (unsigned seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    const double error = largest_error<T, typename path::arch>(seed);
    CHECK(error <= (sizeof(T) == 8 ? 1e-13 : 2e-6));
    worst = std::max(worst, error);
  }
  MESSAGE("largest difference of a weight: " << worst);
}

TEST_CASE_TEMPLATE("weights of half types are right to their rounding", Half, act::float16, act::bfloat16) {
  const double step = sizeof(Half) == 2 && static_cast<float>(Half(1.001F)) == 1 ? 1.0 / 256 : 1.0 / 2048;
  for (unsigned seed = 1; seed <= 20; ++seed)
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
