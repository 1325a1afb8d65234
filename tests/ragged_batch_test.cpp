// Ragged batches: each batch entry of every form is what it is alone, before the oracle, for every number of
// rows around the kernels' blocks; padding is neither read nor counted.
#include <act/attention_weights.hpp>
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/column_scores.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/sinks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "paths.hpp"
#include "random/random_attention.hpp"
#include "random/random_map.hpp"

namespace {

constexpr std::size_t heads = 2;

/// Offsets and rows of the entries of a batch, in a map of `queries` rows.
struct batch_shape {
  std::vector<std::size_t> offsets, counts, first_key = {};
  std::size_t queries = 0, keys = 0, window = 0;

  [[nodiscard]] std::size_t batches() const { return counts.size(); }
  [[nodiscard]] act::visibility visible() const {
    return {.first_key = first_key, .window = window, .query_offsets = offsets, .query_counts = counts};
  }
  /// Entry b alone.
  [[nodiscard]] act::visibility visible(std::size_t b) const {
    return {offsets[b],
            first_key.empty() ? std::span<const std::size_t>() : std::span(first_key).subspan(b, 1), window};
  }
};

/// Every number of rows up to `most`, five entries a batch, at offsets and with padding of their own.
std::vector<batch_shape> all_tails(std::size_t most) {
  std::vector<batch_shape> shapes;
  for (std::size_t first = 0; first <= most; first += 5) {
    batch_shape shape;
    shape.window = first % 15 == 10 ? 13 : 0;
    for (std::size_t n = first; n < first + 5; ++n) {
      shape.counts.push_back(n);
      shape.offsets.push_back(n * 7 % 23);
      shape.queries = std::max(shape.queries, n + first % 3);
      shape.keys = std::max(shape.keys, shape.offsets.back() + n + 2);
      if (first % 10 == 0) shape.first_key.push_back(n * 5 % 9);
    }
    shapes.push_back(shape);
  }
  return shapes;
}

/// A whole batch whose every entry is a map of its own; what no row sees is NaN.
template <class T>
std::vector<T> random_batch(const batch_shape& shape, unsigned seed,
                            std::vector<reference::map>& as_reference) {
  std::vector<T> elements(shape.batches() * heads * shape.queries * shape.keys,
                          std::numeric_limits<T>::quiet_NaN());
  const auto all = act::attention_span<T>::packed(elements.data(), shape.batches(), heads, shape.queries,
                                                  shape.keys, shape.visible());
  for (std::size_t b = 0; b < shape.batches(); ++b) {
    const std::vector<std::size_t> first =
        shape.first_key.empty() ? std::vector<std::size_t>{} : std::vector{shape.first_key[b]};
    const std::size_t rows = std::max<std::size_t>(shape.counts[b], 1);
    act_test::random_map<T> one({.heads = heads,
                                 .queries = rows,
                                 .keys = shape.offsets[b] + rows,
                                 .query_offset = shape.offsets[b],
                                 .window = shape.window,
                                 .first_key = first},
                                seed + static_cast<unsigned>(b));
    as_reference.push_back(one.to_reference());
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < shape.counts[b]; ++i) {
        const act::key_range seen = all.visible.row(b, i);
        if (seen.empty()) continue;
        std::copy(one.span().row(0, h, i) + seen.begin, one.span().row(0, h, i) + seen.end,
                  all.row(b, h, i) + seen.begin);
      }
    }
  }
  return elements;
}

}  // namespace

TEST_CASE_TEMPLATE("a ragged map's entries are calibrated as the oracle does each alone", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  using arch = typename path::arch;
  std::size_t sinks_found = 0;
  unsigned seed = 0;
  for (const batch_shape& shape : all_tails(69)) {
    std::vector<reference::map> expected;
    std::vector<T> elements = random_batch<T>(shape, seed += 10, expected);
    const std::vector<T> before = elements;
    const auto map = act::attention_span<T>::packed(elements.data(), shape.batches(), heads, shape.queries,
                                                    shape.keys, shape.visible());
    const auto report = act::calibrate<T, arch>(map, act::layer_heads::all());
    REQUIRE(report.heads.size() == shape.batches() * heads);
    for (const act::head_report& each : report.heads) {
      const std::size_t b = each.batch, rows = shape.counts[b];
      CAPTURE(rows);
      reference::map& m = expected[b];
      std::vector<std::size_t> sinks;
      if (rows > 0) sinks = reference::sinks(m, 0, each.head, {});
      REQUIRE(each.sinks.size() == sinks.size());
      for (std::size_t s = 0; s < sinks.size(); ++s)
        CHECK(each.sinks[s].position == sinks[s]);
      sinks_found += sinks.size();
      if (rows > 0) reference::calibrate(m, 0, each.head, sinks, 0.4);
      for (std::size_t i = 0; i < shape.queries; ++i) {
        for (std::size_t j = 0; j < shape.keys; ++j) {
          const std::size_t at = static_cast<std::size_t>(map.row(b, each.head, i) + j - elements.data());
          if (i < rows && j < m.keys && m.sees(0, i, j)) {
            CHECK(std::abs(static_cast<double>(elements[at]) - m.at(0, each.head, i, j)) <= path::tolerance);
          } else {
            CHECK(std::isnan(elements[at]));  // nobody wrote there, and nobody read it
          }
        }
      }
    }
    // The calls that look, and the one with sinks known.
    for (std::size_t b = 0; b < shape.batches(); ++b) {
      std::vector<T> again = before;
      const auto other = act::attention_span<T>::packed(again.data(), shape.batches(), heads, shape.queries,
                                                        shape.keys, shape.visible());
      CHECK(act::find_sinks<T, arch>(other, b, 1) == report.heads[b * heads + 1].sinks);
      std::vector<std::size_t> sinks;
      for (const act::sink& each : report.heads[b * heads + 1].sinks)
        sinks.push_back(each.position);
      act::calibrate_with_sinks<T, arch>(other, b, 1, sinks);
      CHECK(std::equal(again.data() + b * map.batch_stride + map.head_stride,
                       again.data() + (b + 1) * map.batch_stride,
                       elements.data() + b * map.batch_stride + map.head_stride,
                       [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); }));
    }
  }
  CHECK(sinks_found > 60);
}

TEST_CASE_TEMPLATE("ragged attention is each entry's own, and padding becomes 0", path, ACT_TEST_PATHS) {
  using T = typename path::element;
  using arch = typename path::arch;
  unsigned seed = 0;
  std::size_t sinks = 0;
  for (const batch_shape& shape : all_tails(44)) {
    for (const std::size_t kept : {std::size_t{0}, act::attention_options{}.kept_weights}) {
      for (const auto how : {act::redistribution::proportional, act::redistribution::uniform}) {
        act_test::random_attention<T> x(shape.batches(), heads, 1, shape.queries, shape.keys, 12, 9, ++seed);
        const T nan = std::numeric_limits<T>::quiet_NaN();
        for (std::size_t b = 0; b < shape.batches(); ++b) {  // padding may hold anything
          for (std::size_t i = shape.counts[b]; i < shape.queries; ++i)
            for (std::size_t h = 0; h < heads; ++h)
              std::fill_n(x.q.tensor().row(b, h, i), 12, nan),
                  std::fill_n(x.out.tensor().row(b, h, i), 9, nan);
          for (std::size_t j = shape.offsets[b] + shape.counts[b]; j < shape.keys; ++j)
            std::fill_n(x.k.tensor().row(b, 0, j), 12, nan), std::fill_n(x.v.tensor().row(b, 0, j), 9, nan);
        }
        const act::calibration_options calibration{.redistribute = how};
        act::attention_options options{.visible = shape.visible(), .kept_weights = kept};
        const auto report = act::calibrated_attention<T, arch>(x.q.tensor(), x.k.tensor(), x.v.tensor(),
                                                               x.out.tensor(), {1}, calibration, options);
        std::vector<T> weights(shape.batches() * heads * shape.queries * shape.keys, nan);
        const auto map = act::attention_span<T>::packed(weights.data(), shape.batches(), heads, shape.queries,
                                                        shape.keys, shape.visible());
        act::attention_weights<T, arch>(x.q.tensor(), x.k.tensor(), map);
        for (std::size_t b = 0; b < shape.batches(); ++b) {
          const std::size_t rows = shape.counts[b], keys = shape.offsets[b] + rows;
          CAPTURE(rows);
          act_test::owned_tensor<T> out(1, heads, rows, 9, false);
          options.visible = shape.visible(b);
          const auto alone = act::calibrated_attention<T, arch>(
              x.q.tensor().entry(b, rows), x.k.tensor().entry(b, keys), x.v.tensor().entry(b, keys),
              out.tensor(), {1}, calibration, options);
          if (rows > 0) CHECK(report.heads[b].sinks == alone.heads[0].sinks);
          sinks += report.heads[b].sinks.size();
          for (std::size_t h = 0; h < heads; ++h) {
            for (std::size_t i = 0; i < shape.queries; ++i) {
              for (std::size_t c = 0; c < 9; ++c) {
                const T expected = i < rows ? out.tensor().row(0, h, i)[c] : T(0);
                CHECK(x.out.tensor().row(b, h, i)[c] == expected);
              }
              double sum = 0;
              for (std::size_t j = 0; j < shape.keys; ++j)
                sum += static_cast<double>(map.row(b, h, i)[j]);
              CHECK(sum == doctest::Approx(map.visible.row(b, i).empty() ? 0 : 1));
            }
          }
        }
      }
    }
  }
  CHECK(sinks > 60);
}

TEST_CASE("a ragged batch's outputs are corrected as each entry's alone, its padding stays") {
  unsigned seed = 100;
  for (const batch_shape& shape : all_tails(44)) {
    act_test::random_attention<float> x(shape.batches(), heads, 1, shape.queries, shape.keys, 12, 9, ++seed);
    const std::vector<float> log_sum_exp(shape.batches() * heads * shape.queries, 4.0F);
    std::vector<double> carried(shape.batches() * heads * shape.keys, 0.125);
    for (std::size_t b = 0; b < shape.batches(); ++b)
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < shape.queries; ++i)
          std::fill_n(x.out.tensor().row(b, h, i), 9, 3.0F);
    act::correct_output(x.out.tensor(), std::span<const float>(log_sum_exp), x.q.tensor(), x.k.tensor(),
                        x.v.tensor(), {0}, {}, {.visible = shape.visible()}, {}, carried);
    for (std::size_t b = 0; b < shape.batches(); ++b) {
      const std::size_t rows = shape.counts[b], keys = shape.offsets[b] + rows;
      act_test::owned_tensor<float> out(1, heads, rows, 9, false);
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < rows; ++i)
          std::fill_n(out.tensor().row(0, h, i), 9, 3.0F);
      std::vector<double> sums(heads * keys, 0.125);
      const std::vector<float> own(heads * rows, 4.0F);
      act::correct_output(out.tensor(), std::span<const float>(own), x.q.tensor().entry(b, rows),
                          x.k.tensor().entry(b, keys), x.v.tensor().entry(b, keys), {0}, {},
                          {.visible = shape.visible(b)}, {}, sums);
      for (std::size_t i = 0; i < shape.queries; ++i)
        for (std::size_t c = 0; c < 9; ++c)
          CHECK(x.out.tensor().row(b, 0, i)[c] == (i < rows ? out.tensor().row(0, 0, i)[c] : 3.0F));
      for (std::size_t j = 0; j < keys && rows > 0; ++j)
        CHECK(carried[b * heads * shape.keys + j] == sums[j]);
    }
  }
}

TEST_CASE("sequences of different length decode in one batch, some of them without a row") {
  constexpr std::size_t batches = 3, steps = 30, channels = 16;
  act_test::random_attention<float> x(batches, heads, 1, steps, steps, channels, channels, 5);
  act_test::owned_tensor<float> alone(batches, heads, steps, channels, true);
  act::attention_workspace<float> workspace;
  std::vector<act::sink_tracker> together(batches * heads), apart(batches * heads);
  std::vector<std::size_t> at{0, 0, 0};
  for (std::size_t step = 0; step < steps; ++step) {
    // Sequence b takes part in every (b + 1)-th step.
    std::vector<std::size_t> offsets = at, counts;
    act_test::owned_tensor<float> q(batches, heads, 1, channels, false),
        out(batches, heads, 1, channels, false);
    for (std::size_t b = 0; b < batches; ++b) {
      counts.push_back(step % (b + 1) == 0 ? 1 : 0);
      for (std::size_t h = 0; h < heads; ++h)
        std::copy_n(x.q.tensor().row(b, h, at[b]), channels, q.tensor().row(b, h, 0));
    }
    act::decoding_attention(q.tensor(), x.k.tensor(), x.v.tensor(), out.tensor(), {1}, std::span(together),
                            {.visible = {.query_offsets = offsets, .query_counts = counts}}, workspace);
    for (std::size_t b = 0; b < batches; ++b) {
      act_test::owned_tensor<float> one(1, heads, 1, channels, false);
      if (counts[b] == 1) {
        act::decoding_attention(q.tensor().entry(b, 1), x.k.tensor().entry(b, at[b] + 1),
                                x.v.tensor().entry(b, at[b] + 1), one.tensor(), {1},
                                std::span(apart).subspan(b * heads, heads),
                                {.visible = {.query_offset = at[b]}}, workspace);
      }
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t c = 0; c < channels; ++c)
          CHECK(out.tensor().row(b, h, 0)[c] == one.tensor().row(0, h, 0)[c]);
      at[b] += counts[b];
    }
  }
  for (std::size_t b = 0; b < batches; ++b) {
    CHECK(together[b * heads + 1].save() == apart[b * heads + 1].save());
    CHECK(together[b * heads + 1].keys() == at[b]);
  }
}

TEST_CASE("a tracker begins after a ragged prompt's entry") {
  const batch_shape shape{.offsets = {0, 3}, .counts = {9, 5}, .queries = 9, .keys = 12};
  std::vector<reference::map> unused;
  std::vector<float> elements = random_batch<float>(shape, 3, unused);
  const auto map = act::attention_span<float>::packed(elements.data(), 2, heads, 9, 12, shape.visible());
  std::vector<double> sums(12);
  act::add_column_sums(map, 1, 0, std::span(sums));
  act::sink_tracker tracker, expected;
  tracker.start(std::span<const double>(sums).first(8), shape.visible(), 1, 9);
  expected.start(std::span<const double>(sums).first(8), {.query_offset = 3}, 0, 5);
  CHECK(tracker.save() == expected.save());
}

TEST_CASE("ragged batches that contradict themselves are refused by name") {
  std::vector<float> elements(2 * 10 * 12);
  const auto refused = [&](const act::visibility& visible) {
    return act_test::message_of([&] {
      act::calibrate(act::attention_span<float>::packed(elements.data(), 2, 1, 10, 12, visible), {0});
    });
  };
  const std::vector<std::size_t> one{1}, far{0, 5}, many{3, 11}, fine{0, 2};
  CHECK(refused({.query_offsets = one}).find("visible.query_offsets: need one entry") == 0);
  CHECK(refused({.query_counts = one}).find("visible.query_counts: need one entry") == 0);
  CHECK(refused({.query_offsets = far}).find("visible.query_offsets: query_offset + queries exceeds") == 0);
  CHECK(refused({.query_counts = many}).find("visible.query_counts: an entry exceeds") == 0);
  CHECK(refused({.query_offset = 1, .query_offsets = fine}).find("visible.query_offset: must stay 0") == 0);
  act::calibration_options authors{.behave_as = act::compatibility::authors};
  CHECK_THROWS_AS(act::calibrate(act::attention_span<float>::packed(elements.data(), 2, 1, 10, 10,
                                                                    {.query_counts = fine}),
                                 {0}, authors),
                  act::error);
}

TEST_CASE_TEMPLATE("sums carried over a map's chunks find the sinks of all rows so far", path,
                   ACT_TEST_PATHS) {
  using T = typename path::element;
  using arch = typename path::arch;
  std::size_t found = 0;
  for (std::size_t size = 1; size <= 40; ++size) {
    const act_test::map_shape shape{
        .batches = 2, .heads = heads, .queries = 57, .keys = 57, .first_key = {0, 4}};
    act_test::random_map<T> map(shape, static_cast<unsigned>(size));
    const reference::map raw = map.to_reference();
    std::vector<double> carried(2 * heads * 57, 0.0);
    for (std::size_t from = 0; from < 57; from += size) {
      act::attention_span<T> chunk = map.span();
      chunk.queries = std::min(size, 57 - from);
      chunk.data = chunk.row(0, 0, from);
      chunk.visible.query_offset = from;
      const auto report = act::calibrate<T, arch>(chunk, act::layer_heads::all(), {}, carried);
      const std::size_t rows = from + chunk.queries;
      for (const act::head_report& each : report.heads) {
        reference::map so_far = reference::first_rows(raw, each.batch, each.head, rows);
        const std::vector<std::size_t> sinks = reference::sinks(so_far, 0, 0, {});
        REQUIRE(each.sinks.size() == sinks.size());
        found += sinks.size();
        const std::vector<double> scores = reference::scores(so_far, 0, 0);
        for (std::size_t s = 0; s < sinks.size(); ++s) {
          CHECK(each.sinks[s].position == sinks[s]);
          CHECK(each.sinks[s].score == doctest::Approx(scores[sinks[s]]).epsilon(1e-6));
        }
        reference::calibrate(so_far, 0, 0, sinks, 0.4);
        for (std::size_t i = from; i < rows; ++i)
          for (std::size_t j = 0; j < rows; ++j)
            CHECK(std::abs(static_cast<double>(map.span().row(each.batch, each.head, i)[j]) -
                           so_far.at(0, 0, i, j)) <= path::tolerance);
      }
    }
  }
  CHECK(found > 500);
}
