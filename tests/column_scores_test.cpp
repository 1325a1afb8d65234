// Column scores against the oracle over random shapes, and sums carried from chunk to chunk.
#include <act/column_scores.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "paths.hpp"
#include "random/random_map.hpp"

using act_test::layout;
using act_test::map_shape;
using act_test::random_map;

TEST_CASE_TEMPLATE("scores are means over the rows that see the key", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  unsigned seed = 0;
  for (const std::size_t queries : {1UL, 2UL, 7UL, 8UL, 9UL, 33UL, 70UL}) {
    for (const std::size_t offset : {0UL, 5UL}) {
      for (const std::size_t window : {0UL, 1UL, 6UL, 20UL}) {
        const std::size_t spare = seed % 3;  // keys that no row sees
        const map_shape shape{.batches = 2,
                              .heads = 2,
                              .queries = queries,
                              .keys = offset + queries + spare,
                              .query_offset = offset,
                              .window = window,
                              .first_key = {0, offset + queries / 2},
                              .order = layout{static_cast<int>(seed % 3)}};
        const random_map<T> map(shape, ++seed);
        const reference::map oracle = map.to_reference();
        for (std::size_t b = 0; b < 2; ++b) {
          for (std::size_t h = 0; h < 2; ++h) {
            std::vector<double> scores(shape.keys, -1.0);
            act::column_scores<T, typename path::arch>(map.span(), b, h, scores);
            const std::vector<double> expected = reference::scores(oracle, b, h);
            for (std::size_t j = 0; j < shape.keys; ++j) {
              CHECK(std::abs(scores[j] - expected[j]) <= 2e-7 * expected[j]);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("masked entries aren't read") {
  random_map<float> map({.queries = 40, .keys = 40, .window = 9}, 3);
  const std::vector<double> expected = reference::scores(map.to_reference(), 0, 0);
  for (std::size_t i = 0; i < 40; ++i) {
    const act::key_range seen = map.span().visible.row(0, i);
    for (std::size_t j = 0; j < 40; ++j) {
      if (!seen.contains(j)) map.span().row(0, 0, i)[j] = std::nanf("");
    }
  }
  std::vector<double> scores(40);
  act::column_scores(map.span(), 0, 0, scores);
  for (std::size_t j = 0; j < 40; ++j)
    CHECK(scores[j] == doctest::Approx(expected[j]).epsilon(1e-6));
}

TEST_CASE("sums of chunks add up to the whole prompt's") {
  const random_map<float> whole({.queries = 53, .keys = 53}, 5);
  std::vector<double> expected(53, 0.0), carried(53, 0.0);
  act::add_column_sums(whole.span(), 0, 0, expected);
  for (std::size_t from = 0; from < 53; from += 20) {
    auto chunk = whole.span();
    chunk.queries = std::min<std::size_t>(20, 53 - from);
    chunk.keys = from + chunk.queries;  // the cache so far
    chunk.data = whole.span().row(0, 0, from);
    chunk.visible.query_offset = from;
    act::add_column_sums(chunk, 0, 0, std::span<double>(carried).first(chunk.keys));
  }
  for (std::size_t j = 0; j < 53; ++j)
    CHECK(std::abs(carried[j] - expected[j]) <= 2e-7 * expected[j]);
}

TEST_CASE("a batch entry without a row has scores of 0") {
  const std::vector<std::size_t> counts{1, 0};
  std::vector<float> weights(2 * 4, 0.25F);
  for (const std::size_t window : {0UL, 3UL}) {
    const auto map = act::attention_span<float>::packed(
        weights.data(), 2, 1, 1, 4, {.query_offset = 3, .window = window, .query_counts = counts});
    std::vector<double> scores(4, -1.0);
    act::column_scores(map, 1, 0, scores);
    CHECK(scores == std::vector<double>(4, 0.0));
    act::column_scores(map, 0, 0, scores);
    CHECK(scores == std::vector<double>{window == 0 ? 0.25 : 0, 0.25, 0.25, 0.25});
  }
}

TEST_CASE("requests outside the map are refused") {
  const random_map<float> map({.heads = 2, .queries = 4, .keys = 4}, 1);
  std::vector<double> out(4, 9.0);
  CHECK_THROWS_AS(act::column_scores(map.span(), 1, 0, out), act::error);
  CHECK_THROWS_AS(act::column_scores(map.span(), 0, 2, out), act::error);
  CHECK_THROWS_AS(act::column_scores(map.span(), 0, 0, std::span<double>(out).first(3)), act::error);
  CHECK(out == std::vector<double>(4, 9.0));
}
