// The kernel for maps, run on the emulated device, against the core.
#include <act/calibrate.hpp>
#include <act/cuda/attention_map.hpp>
#include <act/cuda/map_calibration.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "cuda/boundary_cases.hpp"
#include "cuda/map_cases.hpp"
#include "cuda/there.hpp"

namespace {

using act::cuda::status;
namespace detail = act::cuda::detail;

constexpr act::cuda::map_tuning small_blocks{.threads = 64, .rows_per_chunk = 24, .lag_bytes = 1000};

struct request {
  act::calibration_options options = {};
  std::vector<std::size_t> heads = {};  // empty: all
  act::cuda::map_tuning tuning = small_blocks;
  bool aligned = false;
};

/// A map where the kernels find it: as it lies in `map`, or with rows that begin on 16 bytes, which they move
/// in whole pieces.
template <class T>
class device_copy {
 public:
  device_copy(act_test::random_map<T>& map, bool aligned) : map_(map), aligned_(aligned) {
    const act::attention_span<T>& span = map.span();
    for (const std::size_t key : span.visible.first_key)
      first_.push_back(static_cast<std::int32_t>(key));
    of.batches = span.batches;
    of.heads = span.heads;
    of.queries = span.queries;
    of.keys = span.keys;
    of.visible = {span.visible.query_offset, first_.empty() ? nullptr : first_.data(), span.visible.window};
    if (!aligned) {
      of.data = span.data;
      of.batch_stride = span.batch_stride;
      of.head_stride = span.head_stride;
      of.query_stride = span.query_stride;
      return;
    }
    of.query_stride = (span.keys + 7) / 8 * 8 + 8;
    of.head_stride = of.query_stride * span.queries;
    of.batch_stride = of.head_stride * span.heads + 8;
    // Up to the last key of the last row, which nothing may be read behind.
    memory_.assign((span.batches - 1) * of.batch_stride + (span.heads - 1) * of.head_stride +
                       (span.queries - 1) * of.query_stride + span.keys,
                   T(guard));
    of.data = memory_.data();
    REQUIRE(reinterpret_cast<std::uintptr_t>(of.data) % 16 == 0);
    each_row([&](T* here, T* there) { std::copy_n(there, map_.span().keys, here); });
  }

  /// The elements as `map` holds them, after the kernels ran; in between rows nothing may have changed.
  std::vector<T> elements() {
    if (aligned_) {
      each_row([&](T* here, T* there) {
        std::copy_n(here, map_.span().keys, there);
        std::fill_n(here, map_.span().keys, T(guard));
      });
      REQUIRE(std::all_of(memory_.begin(), memory_.end(),
                          [](const T& each) { return static_cast<float>(each) == guard; }));
    }
    return map_.elements();
  }

  /// The memory that the map lies in.
  [[nodiscard]] std::span<T> all() {
    return aligned_ ? std::span<T>(memory_) : std::span<T>(map_.elements());
  }

  act::cuda::attention_map<T> of;

 private:
  static constexpr float guard = -9;

  template <class Copy>
  void each_row(Copy&& copy) {
    const act::attention_span<T>& span = map_.span();
    for (std::size_t b = 0; b < span.batches; ++b) {
      for (std::size_t h = 0; h < span.heads; ++h) {
        for (std::size_t i = 0; i < span.queries; ++i)
          copy(of.data + b * of.batch_stride + h * of.head_stride + i * of.query_stride, span.row(b, h, i));
      }
    }
  }

  act_test::random_map<T>& map_;
  bool aligned_;
  std::vector<std::int32_t> first_;
  std::vector<T> memory_;
};

template <class T>
act_test::device_result<T> run(act_test::random_map<T>& map, const request& asked, unsigned seed,
                               double* carried = nullptr) {
  device_copy<T> copy(map, asked.aligned);
  const std::vector<std::uint32_t> bits =
      asked.heads.empty() ? std::vector<std::uint32_t>{} : act_test::bits_of(asked.heads, copy.of.heads);
  const std::size_t heads = copy.of.batches * copy.of.heads;
  act_test::device_result<T> result;
  result.scores.resize(heads * copy.of.keys);
  result.moved.resize(heads);
  result.counts.resize(heads);
  result.positions.resize(heads * copy.of.keys);
  CHECK(act_test::calibrate_there<T>(
            seed, copy.all(), copy.of, bits, asked.options, carried,
            {result.scores.data(), result.counts.data(), result.positions.data(), result.moved.data()},
            asked.tuning) == status::ok);
  result.elements = copy.elements();
  return result;
}

template <class T, class Change>
void check_changed(const act_test::map_shape& shape, unsigned seed, const request& asked, Change&& change) {
  act_test::random_map<T> before(shape, seed), expected(shape, seed);
  change(before.span());
  change(expected.span());
  const act::calibration_report report = act::calibrate(
      expected.span(), asked.heads.empty() ? act::layer_heads::all() : act::layer_heads(asked.heads),
      asked.options);
  const auto attempt = [&](unsigned order) {
    act_test::random_map<T> map(shape, seed);
    change(map.span());
    return run(map, asked, order);
  };
  const auto got = attempt(seed);
  const std::string found = act_test::difference(before, expected, report, got);
  INFO("queries " << shape.queries << " keys " << shape.keys << " offset " << shape.query_offset << " window "
                  << shape.window << " seed " << seed << " aligned " << asked.aligned);
  CHECK_MESSAGE(found.empty(), found);
  if (seed % 5 != 0) return;
  // Whoever comes first, the bits are the same.
  const auto again = attempt(seed + 1);
  CHECK(act_test::same_bits(got.elements, again.elements));
  CHECK(act_test::same_bits(got.moved, again.moved));
}

template <class T>
void check(const act_test::map_shape& shape, unsigned seed, const request& asked = {}) {
  check_changed<T>(shape, seed, asked, [](const act::attention_span<T>&) {});
}

constexpr act_test::layout layouts[] = {act_test::layout::packed, act_test::layout::padded,
                                        act_test::layout::query_before_head};

template <class T>
void check_sizes() {
  for (unsigned n = 1; n <= 300; n += act_test::case_stride) {
    // The emulated device takes the tails of every piece, warp and chunk.
    if (!act_test::on_device() && n > 70 && n % 13 != 0 && n % 32 > 1) continue;
    act_test::map_shape shape{.heads = 1 + n % 2, .queries = n, .keys = n, .order = layouts[n % 3]};
    check<T>(shape, n, {.aligned = n % 2 == 0});
  }
  if (!act_test::on_device()) return;
  for (const std::size_t n : {1000U, 1024U, 2047U, 2048U, 4100U, 9000U}) {
    const request asked{.heads = {0, 2}, .tuning = {}, .aligned = n % 8 == 0};
    check<T>({.heads = 3, .queries = n, .keys = n, .order = layouts[n % 3]}, static_cast<unsigned>(n + 5),
             asked);
  }
}

}  // namespace

TEST_CASE("cuda: maps of sizes 1 to 300, float") {
  check_sizes<float>();
}
TEST_CASE("cuda: maps of sizes 1 to 300, float16") {
  check_sizes<act::float16>();
}
TEST_CASE("cuda: maps of sizes 1 to 300, bfloat16") {
  check_sizes<act::bfloat16>();
}

TEST_CASE_TEMPLATE("cuda: chunks, padding, windows and chosen heads", T, float, act::float16, act::bfloat16) {
  for (unsigned seed = 1; seed <= (act_test::on_device() ? 200U : 36U); seed += act_test::case_stride) {
    const std::size_t round = seed, queries = 1 + round * 7 % 61, offset = round % 3 * (round * 5 % 40);
    const std::size_t keys = offset + queries + seed % 4;
    act_test::map_shape shape{.batches = 2,
                              .heads = 35,
                              .queries = queries,
                              .keys = keys,
                              .query_offset = offset,
                              .window = seed % 4 == 1 ? 1 + seed % 23 : 0,
                              .first_key = {0, std::min(round % 5 * 6, keys)},
                              .order = layouts[seed % 3]};
    if (seed % 9 == 0) shape.first_key[0] = keys;  // nothing but padding
    if (seed % 2 == 0) shape.first_key.clear();
    request asked{.heads = {0, 3, 31, 32, 34}, .aligned = seed % 3 == 0};
    asked.options.sinks.min_visible_rows = 1 + seed % 3;
    if (seed % 6 == 4) asked.options.sinks.position_limit = 1 + seed * 5 % keys;
    asked.options.beta = seed % 7 == 0 ? 0 : 0.4;
    check<T>(shape, seed, asked);
  }
}

TEST_CASE("cuda: the other rules, and beta at its ends") {
  for (unsigned seed = 1; seed <= 40; seed += act_test::case_stride) {
    const std::size_t round = seed, queries = 20 + round * 3, offset = round % 2 * 17;
    const act_test::map_shape shape{.batches = 2,
                                    .heads = 2,
                                    .queries = queries,
                                    .keys = offset + queries,
                                    .query_offset = offset,
                                    .window = seed % 3 == 0 ? 25U : 0U,
                                    .first_key = {seed % 4, 0}};
    request asked{.aligned = seed % 2 == 0};
    asked.options.sinks.rule = seed % 2 == 0 ? act::sink_rule::absolute : act::sink_rule::baseline_corrected;
    asked.options.sinks.alpha = 2;
    asked.options.sinks.tau = 0.05;
    asked.options.beta = seed % 5 == 0 ? 1 : seed % 5 == 1 ? 0 : 0.3;
    check<float>(shape, seed, asked);
  }
}

TEST_CASE("cuda: blocks as on a device, rows longer than registers, one head of many") {
  act::cuda::map_tuning full;
  check<float>({.heads = 3, .queries = 300, .keys = 300}, 5, {.tuning = full, .aligned = true});
  check<act::float16>({.heads = 2, .queries = 300, .keys = 300}, 5, {.tuning = full, .aligned = true});
  check<act::float16>({.heads = 2, .queries = 700, .keys = 700, .window = 200}, 5,
                      {.tuning = full, .aligned = true});
  check<act::float16>({.heads = 2, .queries = 40, .keys = 2500, .query_offset = 2460}, 10,
                      {.tuning = full, .aligned = true});
  check<float>({.heads = 2, .queries = 30, .keys = 2500, .query_offset = 2470}, 10,
               {.tuning = full, .aligned = true});
  check<act::bfloat16>({.heads = 2, .queries = 30, .keys = 700, .query_offset = 670}, 10, {.tuning = full});
  check<act::float16>({.heads = 2, .queries = 40, .keys = 2500, .query_offset = 2460}, 10, {.aligned = true});
  check<act::float16>({.heads = 2, .queries = 20, .keys = 5000, .query_offset = 4980}, 10, {.aligned = true});
  check<float>({.heads = 1, .queries = 20, .keys = 3000, .query_offset = 2980}, 15, {.aligned = true});
  check<float>({.heads = 2, .queries = 20, .keys = 1100, .query_offset = 1080, .window = 900}, 20, {});
  check<float>({.heads = 100, .queries = 40, .keys = 40}, 25, {.heads = {64}});
  check<float>({.heads = 4, .queries = 40, .keys = 40}, 30, {.heads = {3}, .tuning = full});
}

TEST_CASE_TEMPLATE("cuda: NaN, infinity, rows of zeros and rows with all mass on a sink", T, float,
                   act::float16) {
  for (unsigned seed = 1; seed <= 30; seed += act_test::case_stride) {
    const act_test::map_shape shape{.heads = 3, .queries = 50 + seed, .keys = 50 + seed};
    check_changed<T>(shape, seed, {.aligned = seed % 2 == 0}, [&](const act::attention_span<T>& map) {
      const std::size_t sink = 4;
      for (std::size_t i = sink; i < map.queries; ++i) {
        T* const row = map.row(0, 0, i);
        if (i % 4 == 0) continue;
        std::fill_n(row, map.keys, T(0));
        if (i % 4 == 1) row[sink] = T(1);
        if (i % 4 == 2) row[sink] = T(1), row[1] = T(i % 8 == 2 ? 0x1p-18 : 0x1p-22);
      }
      const auto bad =
          seed % 3 == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
      map.row(0, 1, map.queries - 2)[seed % 40] = static_cast<T>(bad);
      // Masked entries may hold anything, and keep it; those next to seen ones are read with them.
      map.row(0, 2, 3)[20] = static_cast<T>(bad);
      for (std::size_t i = 0; i + 1 < map.queries; i += 5)
        map.row(0, 2, i)[i + 1] = static_cast<T>(bad);
    });
  }
}

TEST_CASE("cuda: rows at the boundary of changing, a head for each") {
  const std::vector<act_test::boundary_row<float>> cases = act_test::boundary_rows<float>();
  for (const bool aligned : {false, true}) {
    request asked{.aligned = aligned};
    asked.options.sinks.rule = act::sink_rule::absolute;
    asked.options.sinks.tau = 0;
    check_changed<float>({.heads = cases.size(), .queries = 40, .keys = 40}, 5, asked,
                         [&](const act::attention_span<float>& map) {
                           for (std::size_t h = 0; h < map.heads; ++h) {
                             for (std::size_t i = 0; i < map.queries; ++i) {
                               float* const row = map.row(0, h, i);
                               std::fill_n(row, map.keys, 0.0F);
                               row[0] = 0.5F;
                               if (i >= 3) row[3] = 0.25F;
                             }
                             // One of its kind: column sums of more may overflow.
                             map.row(0, h, 20)[0] = cases[h].elsewhere;
                             map.row(0, h, 20)[3] = cases[h].on_sink;
                           }
                         });
  }
}

TEST_CASE("cuda: a map is calibrated alike when nothing is reported") {
  for (const std::size_t n : {60U, 300U, 600U}) {
    const act_test::map_shape shape{.heads = 2, .queries = n, .keys = n};
    const request asked{.aligned = n == 60};
    act_test::random_map<float> reported(shape, 1), silent(shape, 1);
    const auto expected = run(reported, asked, 1);
    device_copy<float> copy(silent, asked.aligned);
    CHECK(act_test::calibrate_there<float>(2, copy.all(), copy.of, {}, asked.options, nullptr, {},
                                           asked.tuning) == status::ok);
    CHECK(act_test::same_bits(expected.elements, copy.elements()));
  }
}

TEST_CASE("cuda: a score that equals the threshold is no sink") {
  // Dyadic weights: every sum is exact in any order.
  for (const std::size_t n : {16U, 64U, 128U}) {
    for (int above = -1; above <= 1; ++above) {
      request asked{.aligned = true};
      asked.options.sinks.rule = act::sink_rule::absolute;
      asked.options.sinks.tau = 0.125;
      check_changed<float>({.queries = n, .keys = n}, static_cast<unsigned>(n), asked,
                           [&](const act::attention_span<float>& map) {
                             for (std::size_t i = 0; i < n; ++i) {
                               float* const row = map.row(0, 0, i);
                               std::fill_n(row, n, 0.0F);
                               row[0] = 0.5F;
                               if (i >= 3) row[3] = 0.125F;
                             }
                             map.row(0, 0, n - 1)[3] += static_cast<float>(above) * 0x1p-20F;
                           });
    }
  }
}

TEST_CASE("cuda: a prompt in chunks carries its column sums") {
  constexpr std::size_t n = 90, heads = 2;
  const auto whole = act_test::random_map<float>({.heads = heads, .queries = n, .keys = n}, 3);
  std::vector<double> carried(heads * n, 0.0);
  for (std::size_t from = 0; from < n; from += 30) {
    act_test::random_map<float> chunk({.heads = heads, .queries = 30, .keys = n, .query_offset = from}, 3);
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < 30; ++i)
        std::copy_n(whole.span().row(0, h, from + i), n, chunk.span().row(0, h, i));
    }
    const auto got = run(chunk, {}, 7, carried.data());
    if (from + 30 < n) continue;
    for (std::size_t h = 0; h < heads; ++h) {
      std::vector<double> scores(n);
      act::column_scores(whole.span(), 0, h, scores);
      const auto sinks = act::find_sinks(whole.span(), 0, h);
      REQUIRE(static_cast<std::size_t>(got.counts[h]) == sinks.size());
      for (std::size_t k = 0; k < sinks.size(); ++k)
        CHECK(static_cast<std::size_t>(got.positions[h * n + k]) == sinks[k].position);
      for (std::size_t j = 0; j < n; ++j) {
        CHECK(got.scores[h * n + j] == doctest::Approx(scores[j]).epsilon(1e-6));
        CHECK(carried[h * n + j] == doctest::Approx(scores[j] * static_cast<double>(n - j)).epsilon(1e-6));
      }
    }
  }
}
