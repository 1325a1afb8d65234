// Float queries and outputs beside a cache of halves, and outputs of a type of their own: what the same call
// gives on a cache that was widened beforehand, for every tail length, but for what a compiler contracts in
// one of both.
#include <act/attention_weights.hpp>
#include <act/calibrated_attention.hpp>
#include <act/correct_output.hpp>
#include <act/decoding_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "random/random_attention.hpp"

namespace {

using act_test::owned_tensor;

constexpr std::size_t heads = 4, kv_heads = 2;

template <class T>
void copy(const act::head_tensor<T>& from, const act::head_tensor<float>& to) {
  for (std::size_t h = 0; h < from.heads; ++h) {
    for (std::size_t i = 0; i < from.tokens; ++i) {
      for (std::size_t c = 0; c < from.channels; ++c)
        to.row(0, h, i)[c] = static_cast<float>(from.row(0, h, i)[c]);
    }
  }
}

/// Queries in float, keys and values in `Cache`, and these once more in float.
template <class Cache>
struct inputs {
  act_test::random_attention<Cache> stored;
  owned_tensor<float> q, k, v;

  inputs(std::size_t queries, std::size_t keys, std::size_t channels, std::size_t value_channels)
      : stored(1, heads, kv_heads, queries, keys, channels, value_channels,
               unsigned(queries * 131 + channels)),
        q(1, heads, queries, channels, false),
        k(1, kv_heads, keys, channels, false),
        v(1, kv_heads, keys, value_channels, false) {
    copy(stored.q.tensor(), q.tensor());
    // Numbers that `Cache` can't hold.
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < queries; ++i)
        q.tensor().row(0, h, i)[0] *= 1 + 1e-6f;
    }
    copy(stored.k.tensor(), k.tensor());
    copy(stored.v.tensor(), v.tensor());
  }

  [[nodiscard]] owned_tensor<float> output() const {
    return {1, heads, q.tensor().tokens, v.tensor().channels, false};
  }
};

/// Whether both are the same to a few roundings of float, and to one of `T`.
template <class T>
bool same(const std::vector<T>& numbers, const std::vector<T>& expected) {
  constexpr double step = std::is_same_v<T, float> ? 0 : std::is_same_v<T, act::float16> ? 0x1p-10 : 0x1p-7;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double at = static_cast<double>(expected[i]);
    // A NaN compares as far away.
    if (!(std::abs(static_cast<double>(numbers[i]) - at) <= 1e-6 + (step + 1e-6) * std::abs(at)))
      return false;
  }
  return numbers.size() == expected.size();
}

template <class Output>
std::vector<Output> rounded(const std::vector<float>& numbers) {
  std::vector<Output> all;
  for (const float number : numbers)
    all.push_back(Output(number));
  return all;
}

/// calibrated_attention, as it keeps weights and as it corrects outputs.
template <class Cache, class Arch>
void check_prompts(std::size_t tokens, std::size_t channels) {
  const inputs<Cache> in(tokens, tokens + 3, channels, channels + 1);
  std::size_t sinks = 0;
  CAPTURE(tokens);
  CAPTURE(channels);
  for (const std::size_t kept : {std::size_t{1} << 20, std::size_t{0}}) {
    CAPTURE(kept);
    const act::attention_options options{.visible = {.query_offset = 3}, .kept_weights = kept};
    const auto out = in.output(), expected = in.output();
    const auto told = act::calibrated_attention<float, Arch>(
        in.q.tensor(), in.k.tensor(), in.v.tensor(), expected.tensor(), act::layer_heads{0, 3}, {}, options);
    const auto report =
        act::calibrated_attention<float, Arch>(in.q.tensor(), in.stored.k.tensor(), in.stored.v.tensor(),
                                               out.tensor(), act::layer_heads{0, 3}, {}, options);
    CHECK(same(out.numbers(), expected.numbers()));
    CHECK(report.heads[1].sinks == told.heads[1].sinks);
    sinks += told.heads[1].sinks.size();

    owned_tensor<Cache> halves(1, heads, tokens, channels + 1, false);
    act::calibrated_attention<Cache, Arch>(in.q.tensor(), in.stored.k.tensor(), in.stored.v.tensor(),
                                           halves.tensor(), act::layer_heads{0, 3}, {}, options);
    CHECK(same(halves.numbers(), rounded<Cache>(expected.numbers())));
  }
  if (tokens > 30) CHECK(sinks > 0);
}

}  // namespace

TEST_CASE_TEMPLATE("float queries over a cache of halves: as over the widened cache", cache, act::float16,
                   act::bfloat16) {
  for (std::size_t tokens = 1; tokens <= 70; ++tokens) {
    check_prompts<cache, act::simd::default_arch>(tokens, 5 + tokens % 19);
    if (tokens % 7 == 0) check_prompts<cache, act::simd::scalar>(tokens, 5 + tokens % 19);
  }
}

TEST_CASE_TEMPLATE("another kernel's float outputs are corrected beside a cache of halves", cache,
                   act::float16, act::bfloat16) {
  for (std::size_t tokens = 1; tokens <= 70; tokens += 3) {
    const inputs<cache> in(tokens, tokens, 16, 9);
    const auto out = in.output(), expected = in.output();
    owned_tensor<float> map(1, heads, tokens, tokens, false);
    for (const auto& one : {out.tensor(), expected.tensor()})
      act::calibrated_attention(in.q.tensor(), in.k.tensor(), in.v.tensor(), one, act::layer_heads{});
    std::vector<float> log_sum_exp;
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t i = 0; i < tokens; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j <= i; ++j) {
          double score = 0;
          for (std::size_t c = 0; c < 16; ++c)
            score += static_cast<double>(in.q.tensor().row(0, h, i)[c]) *
                     static_cast<double>(in.k.tensor().row(0, h / 2, j)[c]);
          sum += std::exp(score / 4);
        }
        log_sum_exp.push_back(static_cast<float>(std::log(sum)));
      }
    }
    act::correct_output(expected.tensor(), log_sum_exp, in.q.tensor(), in.k.tensor(), in.v.tensor(),
                        act::layer_heads{1, 2});
    act::correct_output(out.tensor(), log_sum_exp, in.q.tensor(), in.stored.k.tensor(), in.stored.v.tensor(),
                        act::layer_heads{1, 2});
    CHECK(same(out.numbers(), expected.numbers()));
  }
}

TEST_CASE_TEMPLATE("decoding reads a cache of halves with float queries", cache, act::float16,
                   act::bfloat16) {
  constexpr std::size_t most = 60;
  for (const std::size_t channels : {3U, 16U, 37U}) {
    const inputs<cache> in(most, most, channels, channels);
    std::vector<act::sink_tracker> ours(heads), theirs(heads);
    act::attention_workspace<float> workspace;
    std::size_t sinks = 0;
    for (std::size_t n = 0; n < most; ++n) {
      const auto first = [&](auto tensor) {
        tensor.tokens = n + 1;
        return tensor;
      };
      auto q = in.q.tensor();
      q.data += n * q.token_stride;
      q.tokens = 1;
      const auto out = owned_tensor<float>(1, heads, 1, channels, false),
                 expected = owned_tensor<float>(1, heads, 1, channels, false);
      const act::attention_options options{.visible = {.query_offset = n}};
      act::decoding_attention(q, first(in.k.tensor()), first(in.v.tensor()), expected.tensor(),
                              act::layer_heads{0, 2}, theirs, options, workspace);
      act::decoding_attention(q, first(in.stored.k.tensor()), first(in.stored.v.tensor()), out.tensor(),
                              act::layer_heads{0, 2}, ours, options, workspace);
      CHECK(same(out.numbers(), expected.numbers()));
      sinks += ours[2].sinks().size();
    }
    CHECK(sinks > 0);
  }
}

TEST_CASE("a map of one type is made of queries and keys of others") {
  const inputs<act::bfloat16> in(33, 33, 20, 1);
  std::vector<float> expected(heads * 33 * 33), map(expected.size());
  std::vector<act::float16> halves(expected.size());
  act::attention_weights(in.q.tensor(), in.k.tensor(),
                         act::attention_span<float>::packed(expected.data(), 1, heads, 33, 33));
  act::attention_weights(in.q.tensor(), in.stored.k.tensor(),
                         act::attention_span<float>::packed(map.data(), 1, heads, 33, 33));
  act::attention_weights(in.q.tensor(), in.stored.k.tensor(),
                         act::attention_span<act::float16>::packed(halves.data(), 1, heads, 33, 33));
  CHECK(same(map, expected));
  CHECK(same(halves, rounded<act::float16>(expected)));
}

TEST_CASE("forms for engines take the same types, and nothing that is computed in another") {
  static_assert(act::attention_elements<float, const float, act::float16>);
  static_assert(act::attention_elements<act::bfloat16, float, const act::float16>);
  static_assert(!act::attention_elements<float, double, float>);
  static_assert(!act::attention_elements<double, float, float>);
  const inputs<act::float16> in(20, 20, 8, 8);
  const auto out = in.output(), expected = in.output();
  std::vector<std::byte> memory(act::calibrated_attention_workspace(
      in.q.tensor(), in.stored.k.tensor(), in.stored.v.tensor(), out.tensor(), act::layer_heads::all()));
  REQUIRE(!memory.empty());
  act::call_context context;
  context.workspace = memory;
  CHECK(act::try_calibrated_attention(in.q.tensor(), in.stored.k.tensor(), in.stored.v.tensor(), out.tensor(),
                                      act::layer_heads::all(), {}, {}, context) == act::status::ok);
  act::calibrated_attention(in.q.tensor(), in.k.tensor(), in.v.tensor(), expected.tensor(),
                            act::layer_heads::all());
  CHECK(same(out.numbers(), expected.numbers()));
}
