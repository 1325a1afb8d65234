// What kernels compute of positions, rows and heads, one value at a time, against the core's own functions.
#include <act/attention_view.hpp>
#include <act/cuda/column_sums.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/visibility.hpp>
#include <act/head_set.hpp>
#include <act/sinks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "random/random_numbers.hpp"

namespace detail = act::cuda::detail;

TEST_CASE("cuda: rows see the keys that the core says, and keys the rows") {
  act_test::random_numbers random(1);
  for (int round = 0; round < 400; ++round) {
    const std::size_t offset = random.below(20), queries = 1 + random.below(20),
                      keys = offset + queries + random.below(3);
    const std::vector<std::size_t> padding{random.below(keys + 1)};
    const act::visibility core{offset, padding, random.below(2) * random.below(30)};
    const std::int32_t first = static_cast<std::int32_t>(padding[0]);
    const detail::sequence sees = detail::sequence_of({offset, &first, core.window}, 0);
    for (std::size_t i = 0; i < queries; ++i) {
      const act::key_range expected = core.row(0, i);
      const detail::range got = sees.row(static_cast<int>(i));
      CHECK(got.size() == static_cast<int>(expected.size()));
      for (std::size_t j = 0; j < keys; ++j)
        CHECK(got.contains(static_cast<int>(j)) == expected.contains(j));
    }
    for (const std::size_t from : {std::size_t{0}, offset}) {
      const std::size_t to = offset + queries;
      for (std::size_t j = 0; j < keys; ++j) {
        CHECK(sees.rows_seeing(static_cast<int>(j), static_cast<int>(from), static_cast<int>(to)) ==
              static_cast<int>(core.rows_seeing(0, j, from, to)));
      }
    }
  }
}

TEST_CASE("cuda: chunks hold each row once, and the keys their rows see") {
  for (int rows = 1; rows < 70; ++rows) {
    for (const int each : {1, 7, 32, 100}) {
      const detail::row_chunks chunks{rows, each};
      const detail::sequence sees{rows % 5 == 0 ? 25 : 3, 10, rows % 3 * 5};
      int next = 0;
      for (int c = 0; c < chunks.count(); ++c) {
        CHECK(chunks.first(c) == next);
        next = chunks.last(c);
        const detail::range keys = chunks.keys(c, sees);
        for (int j = 0; j < 13 + rows; ++j) {
          bool seen = false;
          for (int i = chunks.first(c); i < chunks.last(c); ++i)
            seen = seen || sees.row(i).contains(j);
          CHECK(keys.contains(j) == seen);
          CHECK(chunks.with(j, sees).contains(c) == seen);
        }
      }
      CHECK(next == rows);
    }
  }
}

TEST_CASE("cuda: the keys over the threshold are the core's sinks, at the threshold too") {
  act_test::random_numbers random(2);
  for (int round = 0; round < 300; ++round) {
    const std::size_t offset = random.below(15), queries = 1 + random.below(50),
                      keys = offset + queries + random.below(2);
    const std::vector<std::size_t> padding{random.one_in(4) ? keys : random.below(8) % keys};
    const act::visibility core{offset, padding, random.below(2) * (1 + random.below(20))};
    act::sink_options options;
    options.rule = static_cast<act::sink_rule>(round % 3);
    options.min_visible_rows = 1 + random.below(4);
    if (random.one_in(3)) options.position_limit = 1 + random.below(keys + 2);
    options.alpha = 2;
    const std::size_t first_row = round % 2 == 0 ? offset : 0, last_row = offset + queries;
    const std::int32_t initial = static_cast<std::int32_t>(padding[0]);
    const detail::scored_rows rows{detail::sequence_of({offset, &initial, core.window}, 0),
                                   static_cast<int>(first_row), static_cast<int>(last_row),
                                   static_cast<int>(keys)};
    const detail::selection rule = detail::selection_of(options);
    std::vector<double> prefix(1, 0.0);
    for (std::size_t p = first_row; p < last_row; ++p)
      prefix.push_back(prefix.back() + detail::uniform_share(rows.sees, static_cast<int>(p)));
    std::vector<double> scores(keys);
    const double exactly = options.rule == act::sink_rule::absolute
                               ? options.tau
                               : options.alpha / static_cast<double>(std::max(rows.visible_keys(), 1));
    for (std::size_t j = 0; j < keys; ++j) {
      double& each = scores[j];
      if (rows.rows_seeing(static_cast<int>(j)) == 0) continue;  // its score is 0
      const double offers[] = {exactly, std::nextafter(exactly, 9.0), 0,
                               std::numeric_limits<double>::quiet_NaN(),
                               0.001 * static_cast<double>(random.below(1000))};
      // Ties are exact for the two rules with one threshold; the third one's is a sum.
      each = options.rule == act::sink_rule::baseline_corrected ? offers[4] : offers[random.below(5)];
    }
    act::visibility asked = core;
    asked.query_offset = first_row;
    const auto expected = act::find_sinks(scores, asked, 0, last_row - first_row, options);
    std::size_t next = 0;
    for (std::size_t j = 0; j < keys; ++j) {
      const bool is = next < expected.size() && expected[next].position == j;
      if (is) ++next;
      CHECK(detail::is_sink(rule, rows, prefix.data(), static_cast<int>(j), scores[j]) == is);
    }
  }
}

TEST_CASE("cuda: a head set as bits") {
  act_test::random_numbers random(3);
  for (const std::size_t heads : {1U, 9U, 31U, 32U, 33U, 64U, 71U}) {
    act::head_set set;
    for (int k = 0; k < 40; ++k)
      set.insert(random.below(4), random.below(heads));
    std::vector<std::uint32_t> words(4 * act::cuda::words_per_layer(heads) + 1, 0xdeadbeef);
    CHECK(act::cuda::pack_heads(set, 4, heads, words.data()));
    CHECK(words.back() == 0xdeadbeef);
    for (std::size_t layer = 0; layer < 4; ++layer) {
      const act::cuda::head_bits bits = act::cuda::in_layer(words.data(), layer, heads);
      const act::layer_heads expected = set.in_layer(layer);
      REQUIRE(detail::count_heads(bits, static_cast<int>(heads)) == static_cast<int>(expected.count(heads)));
      for (std::size_t k = 0; k < expected.count(heads); ++k) {
        CHECK(detail::nth_head(bits, static_cast<int>(heads), static_cast<int>(k)) ==
              static_cast<int>(expected.at(k)));
      }
      for (std::size_t h = 0; h < heads; ++h)
        CHECK(detail::has_head(bits, static_cast<int>(h)) == expected.contains(h));
    }
    // Bits past the last head name none.
    const std::vector<std::uint32_t> full(3, 0xffffffff);
    CHECK(detail::count_heads({full.data()}, static_cast<int>(heads)) == static_cast<int>(heads));
    CHECK_FALSE(act::cuda::pack_heads(act::head_set{{4, 0}}, 4, heads, words.data()));
    CHECK_FALSE(act::cuda::pack_heads(act::head_set{{0, heads}}, 4, heads, words.data()));
  }
}

TEST_CASE("cuda: the first of a list that isn't below a key") {
  const int list[] = {2, 5, 6, 40};
  for (int count = 0; count <= 4; ++count) {
    for (int key = 0; key < 50; ++key) {
      int expected = 0;
      while (expected < count && list[expected] < key)
        ++expected;
      CHECK(detail::first_from(list, count, key) == expected);
    }
  }
}
