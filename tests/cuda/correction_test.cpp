// Correction of plain outputs, run on the emulated device, against the core's correct_output.
#include <act/correct_output.hpp>
#include <act/cuda/output_correction.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "cuda/boundary_cases.hpp"
#include "cuda/map_cases.hpp"
#include "cuda/plain_attention.hpp"
#include "cuda/there.hpp"
#include "random/random_attention.hpp"

namespace {

using act::cuda::status;
namespace detail = act::cuda::detail;

struct attention_case {
  std::size_t batches = 1, heads = 2, kv_heads = 2, queries = 20, keys = 20, channels = 16,
              value_channels = 16;
  std::size_t query_offset = 0, window = 0;
  std::vector<std::size_t> first_key = {};
  bool interleaved = false, aligned = false;
  double draw = 3, scale = 0, soft_cap = 0;
  std::vector<float> slopes = {}, sink_logits = {};
  std::vector<std::size_t> chosen = {};  // empty: all
  act::calibration_options options = {};
  bool scores_given = false;
};

template <class T>
act::cuda::head_tensor<T> on_device(const act::head_tensor<T>& t) {
  return {t.data, t.batches, t.heads, t.tokens, t.channels, t.batch_stride, t.head_stride, t.token_stride};
}

/// A tensor's elements at the start of 16 bytes, or as they lie.
template <class T>
class placed {
 public:
  placed(const act::head_tensor<T>& from, bool aligned) : tensor(on_device(from)) {
    if (!aligned) return;
    const std::size_t count = from.batches * from.heads * from.tokens * from.channels;
    memory_.resize(count + 16);
    T* at = memory_.data();
    while (reinterpret_cast<std::uintptr_t>(at) % 32 != 0)
      ++at;
    std::copy_n(from.data, count, at);
    tensor.data = at;
  }
  act::cuda::head_tensor<T> tensor;

 private:
  std::vector<T> memory_;
};

constexpr act::cuda::correction_tuning small_blocks{.threads = 64, .rows_per_chunk = 40, .rows_per_item = 6};

template <class T>
void check(const attention_case& c, unsigned seed) {
  using owned = act_test::random_attention<T>;
  owned of(c.batches, c.heads, c.kv_heads, c.queries, c.keys, c.channels, c.value_channels, seed, c.draw,
           c.interleaved);
  act::attention_options core;
  core.visible = {c.query_offset, c.first_key, c.window};
  core.scale = c.scale;
  core.soft_cap = c.soft_cap;
  core.slopes = c.slopes;
  core.sink_logits = c.sink_logits;
  const std::vector<float> lse = act_test::attend_plainly(of, core);
  const act::layer_heads heads = c.chosen.empty() ? act::layer_heads::all() : act::layer_heads(c.chosen);

  const placed<T> q(of.q.tensor(), c.aligned), k(of.k.tensor(), c.aligned), v(of.v.tensor(), c.aligned),
      out(of.out.tensor(), c.aligned);
  const std::size_t elements = c.batches * c.heads * c.queries * c.value_channels,
                    count = c.batches * c.heads;
  std::vector<T> got(out.tensor.data, out.tensor.data + elements);
  const std::vector<T> plain = got;
  std::vector<double> scores(c.scores_given ? count * c.keys : 0);
  for (std::size_t e = 0; e < scores.size(); ++e)
    scores[e] = (e * 7 + seed) % 13 == 0 ? 0.6 : 0.001;
  const act::calibration_report report = act::correct_output<T>(
      of.out.tensor(), lse, of.q.tensor(), of.k.tensor(), of.v.tensor(), heads, c.options, core, scores);

  // The device's outputs lie where the plain ones were copied to, or in a copy made now.
  std::vector<T> unaligned = c.aligned ? std::vector<T>{} : plain;
  detail::correction_request<T> request{out.tensor, lse.data(), q.tensor,  k.tensor,
                                        v.tensor,   {},         c.options, {}};
  if (!c.aligned) request.out.data = unaligned.data();
  std::vector<std::int32_t> first;
  for (const std::size_t key : c.first_key)
    first.push_back(static_cast<std::int32_t>(key));
  request.attention.visible = {c.query_offset, first.empty() ? nullptr : first.data(), c.window};
  request.attention.scale = c.scale;
  request.attention.soft_cap = c.soft_cap;
  request.attention.slopes = c.slopes.empty() ? nullptr : c.slopes.data();
  request.attention.sink_logits = c.sink_logits.empty() ? nullptr : c.sink_logits.data();
  if (c.scores_given) request.scores = scores.data();
  const std::vector<std::uint32_t> bits =
      c.chosen.empty() ? std::vector<std::uint32_t>{} : act_test::bits_of(c.chosen, c.heads);
  act_test::device_result<T> result;
  result.scores.resize(count * c.keys);
  result.moved.resize(count);
  result.counts.resize(count);
  result.positions.resize(count * c.keys);
  REQUIRE(act_test::correct_there<T>(
              seed, request, bits,
              {result.scores.data(), result.counts.data(), result.positions.data(), result.moved.data()},
              small_blocks) == status::ok);
  std::copy_n(request.out.data, elements, got.begin());
  if (seed % 5 == 0) {  // nothing reported: the same outputs
    std::copy_n(plain.begin(), elements, request.out.data);
    REQUIRE(act_test::correct_there<T>(seed + 1, request, bits, {}, small_blocks) == status::ok);
    CHECK(std::equal(got.begin(), got.end(), request.out.data,
                     [](const T& x, const T& y) { return std::memcmp(&x, &y, sizeof(T)) == 0; }));
  }

  INFO("queries " << c.queries << " keys " << c.keys << " channels " << c.channels << " values "
                  << c.value_channels << " seed " << seed);
  for (const act::head_report& head : report.heads) {
    const std::size_t h = head.batch * c.heads + head.head;
    REQUIRE(static_cast<std::size_t>(result.counts[h]) == head.sinks.size());
    for (std::size_t s = 0; s < head.sinks.size(); ++s)
      CHECK(static_cast<std::size_t>(result.positions[h * c.keys + s]) == head.sinks[s].position);
    CHECK(result.moved[h] == doctest::Approx(head.moved_mass).epsilon(1e-4));
  }
  double largest = 0, error = 0;
  const std::vector<T> core_out(of.out.tensor().data, of.out.tensor().data + elements);
  for (std::size_t e = 0; e < elements; ++e) {
    largest = std::max(largest, std::abs(static_cast<double>(core_out[e])));
    const double apart = std::abs(static_cast<double>(got[e]) - static_cast<double>(core_out[e]));
    error = std::max(error, std::isnan(apart) ? 1e30 : apart);
  }
  const double rounding = act_test::element_bound<T>;
  CHECK(error <= (rounding + 4e-5) * largest);
}

}  // namespace

TEST_CASE_TEMPLATE("cuda: corrected outputs of all lengths", T, float, act::float16, act::bfloat16) {
  for (unsigned n = 1; n <= 300; n += act_test::case_stride) {
    if (!act_test::on_device() && n > 12 && n % 23 != 0 && n % 64 > 1) continue;
    check<T>({.queries = n, .keys = n, .interleaved = n % 2 == 0, .aligned = n % 3 == 0}, n);
  }
  if (act_test::on_device())
    check<T>({.queries = 2050, .keys = 2050, .channels = 64, .value_channels = 64}, 1);
}

TEST_CASE_TEMPLATE("cuda: corrected outputs of all head sizes", T, float, act::float16) {
  unsigned seed = 0;
  for (const std::size_t channels :
       std::initializer_list<std::size_t>{1, 3, 16, 31, 64, 80, 96, 128, 129, 160, 256}) {
    ++seed;
    check<T>({.queries = 33,
              .keys = 33,
              .channels = channels,
              .value_channels = channels,
              .aligned = seed % 2 == 0},
             seed);
    check<T>(
        {.queries = 12, .keys = 12, .channels = channels, .value_channels = 257 - channels, .aligned = true},
        seed);
  }
}

TEST_CASE("cuda: corrected outputs with grouped heads, chunks, padding, windows and adjusted scores") {
  for (unsigned seed = 1; seed <= 60; seed += act_test::case_stride) {
    attention_case c;
    c.batches = 2;
    c.heads = 6;
    c.kv_heads = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 2 : 6;
    c.queries = 1 + seed * 11 % 70;
    c.query_offset = seed % 2 * (seed % 37);
    c.keys = c.query_offset + c.queries + seed % 3;
    c.window = seed % 4 == 2 ? 5 + seed % 20 : 0;
    c.aligned = seed % 2 == 1;
    if (seed % 3 == 0) c.first_key = {seed % 7 % c.keys, 0};
    if (seed % 5 == 0) c.soft_cap = 4;
    if (seed % 8 == 0) c.scale = -0.3;
    if (seed % 7 == 0) c.slopes = {0.5F, 0.25F, 0.125F, 0.06F, 0.03F, 0.015F};
    if (seed % 6 == 0) c.sink_logits = {0.5F, 1, -1, 2, 0, 3};
    if (seed % 2 == 0) c.chosen = {1, 4};
    c.scores_given = seed % 4 == 3;
    c.options.beta = seed % 9 == 0 ? 1 : seed % 9 == 1 ? 0 : 0.4;
    c.options.sinks.rule = static_cast<act::sink_rule>(seed % 3);
    c.options.sinks.alpha = 3;
    check<float>(c, seed);
  }
}

TEST_CASE("cuda: a row whose scores are all -infinity adds nothing to the sums, as in the core") {
  act_test::random_attention<float> of(1, 1, 1, 24, 24, 16, 16, 5);
  for (std::size_t j = 0; j < 24; ++j)
    of.k.tensor().row(0, 0, j)[0] = 1;
  std::vector<float> lse = act_test::attend_plainly(of, act::attention_options{});
  of.q.tensor().row(0, 0, 3)[0] = lse[3] = -std::numeric_limits<float>::infinity();
  const placed<float> q(of.q.tensor(), true), k(of.k.tensor(), true), v(of.v.tensor(), true),
      out(of.out.tensor(), true);
  std::vector<double> expected(24), sums(24);
  act::correct_output<float>(of.out.tensor(), lse, of.q.tensor(), of.k.tensor(), of.v.tensor(),
                             act::layer_heads::all(), {}, {}, {}, expected);
  detail::correction_request<float> request{out.tensor, lse.data(), q.tensor, k.tensor, v.tensor, {}, {}, {}};
  request.carried_sums = sums.data();
  REQUIRE(act_test::correct_there<float>(1, request, {}, {}, small_blocks) == status::ok);
  for (std::size_t j = 0; j < 24; ++j)
    CHECK(sums[j] == doctest::Approx(expected[j]).epsilon(1e-5));
}

TEST_CASE_TEMPLATE("cuda: rows with nearly all or all of their mass on sinks are made anew", T, float,
                   act::float16) {
  for (unsigned seed = 1; seed <= 12; seed += act_test::case_stride) {
    attention_case c{.queries = 40, .keys = 40, .aligned = seed % 2 == 0, .draw = 4.0 + seed};
    c.options.sinks.alpha = 2;
    check<T>(c, seed);
  }
}

TEST_CASE("cuda: given scores at the threshold make the same sinks") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  unsigned seed = 0;
  for (const act_test::boundary_column& each : act_test::boundary_columns()) {
    INFO(each.name);
    act::calibration_options options;
    options.sinks = each.options;
    const std::size_t queries = each.last_row - each.first_row;
    const double exactly = each.factor * each.measure;
    const std::vector<std::size_t> padding{each.first_key};
    const std::int32_t initial = static_cast<std::int32_t>(each.first_key);
    act::attention_options core;
    core.visible = {each.first_row, padding, each.window};
    for (const double score :
         {std::nextafter(exactly, -infinity), exactly, std::nextafter(exactly, infinity)}) {
      INFO("score " << score);
      act_test::random_attention<float> of(1, 1, 1, queries, each.keys, 4, 4, ++seed);
      const std::vector<float> lse = act_test::attend_plainly(of, core);
      std::vector<double> scores(each.keys, 0.0);
      scores[each.key] = score;
      detail::correction_request<float> request{on_device(of.out.tensor()),
                                                lse.data(),
                                                on_device(of.q.tensor()),
                                                on_device(of.k.tensor()),
                                                on_device(of.v.tensor()),
                                                {},
                                                options,
                                                {.visible = {each.first_row, &initial, each.window}},
                                                scores.data()};
      std::vector<float> there(of.out.tensor().data, of.out.tensor().data + queries * 4);
      request.out.data = there.data();
      std::int32_t count = -1;
      std::vector<std::int32_t> positions(each.keys);
      REQUIRE(act_test::correct_there<float>(seed, request, {},
                                             {.sink_counts = &count, .sink_positions = positions.data()},
                                             small_blocks) == status::ok);
      const act::calibration_report report =
          act::correct_output<float>(of.out.tensor(), lse, of.q.tensor(), of.k.tensor(), of.v.tensor(),
                                     act::layer_heads::all(), options, core, scores);
      const bool expected = score > exactly && each.may_be_sink;
      CHECK(report.heads[0].sinks.size() == (expected ? 1U : 0U));
      REQUIRE(count == (expected ? 1 : 0));
      if (expected) CHECK(static_cast<std::size_t>(positions[0]) == each.key);
    }
  }
}

TEST_CASE("cuda: outputs of a prompt in chunks carry their column sums") {
  constexpr std::size_t keys = 60, each = 20, channels = 8;
  std::vector<double> core_sums(keys, 0.0), sums(keys, 0.0);
  unsigned seed = 0;
  for (std::size_t from = 0; from < keys; from += each) {
    INFO("from " << from);
    act_test::random_attention<float> of(1, 1, 1, each, keys, channels, channels, ++seed, 5);
    act::attention_options core;
    core.visible.query_offset = from;
    const std::vector<float> lse = act_test::attend_plainly(of, core);
    detail::correction_request<float> request{on_device(of.out.tensor()),
                                              lse.data(),
                                              on_device(of.q.tensor()),
                                              on_device(of.k.tensor()),
                                              on_device(of.v.tensor()),
                                              {},
                                              {},
                                              {.visible = {.query_offset = from}}};
    const std::vector<float> plain(of.out.tensor().data, of.out.tensor().data + each * channels);
    std::vector<float> there = plain;
    request.out.data = there.data();
    request.carried_sums = sums.data();
    std::int32_t count = -1;
    std::vector<std::int32_t> positions(keys);
    REQUIRE(act_test::correct_there<float>(seed, request, {},
                                           {.sink_counts = &count, .sink_positions = positions.data()},
                                           small_blocks) == status::ok);
    const act::calibration_report report =
        act::correct_output<float>(of.out.tensor(), lse, of.q.tensor(), of.k.tensor(), of.v.tensor(),
                                   act::layer_heads::all(), {}, core, {}, core_sums);
    const std::vector<act::sink>& sinks = report.heads[0].sinks;
    CHECK_FALSE(sinks.empty());
    REQUIRE(static_cast<std::size_t>(count) == sinks.size());
    for (std::size_t s = 0; s < sinks.size(); ++s)
      CHECK(static_cast<std::size_t>(positions[s]) == sinks[s].position);
    for (std::size_t j = 0; j < keys; ++j)
      CHECK(sums[j] == doctest::Approx(core_sums[j]).epsilon(1e-4));
    for (std::size_t e = 0; e < there.size(); ++e)
      CHECK(there[e] == doctest::Approx(of.out.tensor().data[e]).epsilon(1e-4));
    CHECK(there != plain);
  }
}
