// What is written may neither overlap itself nor what is read: strided memory side by side, interleaved,
// nested.
#include <doctest/doctest.h>
#include <act/act.hpp>
#include <act/detail/overlap.hpp>

#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "random/random_attention.hpp"
#include "random/random_numbers.hpp"

namespace {

using act::detail::keeps_rows_apart;
using act::detail::may_overlap;
using act::detail::memory_of;
using act_test::random_attention;

constexpr std::size_t heads = 4, tokens = 80, channels = 8;

act::head_tensor<float> slot(std::vector<float>& buffer, std::size_t which, std::size_t slots) {
  return {buffer.data() + which * heads * channels,
          1,
          heads,
          tokens,
          channels,
          0,
          channels,
          slots * heads * channels};
}

/// Every byte that rows of such memory own, brought to its beginning; more than once where rows overlap.
std::multiset<std::size_t> bytes_of(const act::detail::strided_memory& memory) {
  std::multiset<std::size_t> bytes;
  const auto& [a, b, c] = memory.axes;
  for (std::size_t i = 0; i < a.extent; ++i)
    for (std::size_t j = 0; j < b.extent; ++j)
      for (std::size_t k = 0; k < c.extent; ++k)
        for (std::size_t byte = 0; byte < memory.row; ++byte)
          bytes.insert(memory.begin + i * a.stride + j * b.stride + k * c.stride + byte);
  return bytes;
}

template <class Call>
std::string refused(Call&& call) {
  try {
    call();
  } catch (const act::error& e) {
    CHECK(e.code() == act::error_code::invalid_shape);
    return e.where();
  }
  return "";
}

}  // namespace

TEST_CASE("slots of one buffer that alternate don't overlap, neighbours that reach into each other do") {
  std::vector<float> buffer(tokens * 4 * heads * channels);
  const auto q = slot(buffer, 0, 4), out = slot(buffer, 3, 4);
  CHECK_FALSE(may_overlap(memory_of(q), memory_of(out)));
  CHECK(may_overlap(memory_of(out), memory_of(out)));
  auto wide = q;
  wide.channels += 1;
  wide.heads = 1;
  wide.channels = 3 * heads * channels + 1;  // reaches into out's slot
  CHECK(may_overlap(memory_of(wide), memory_of(out)));
  CHECK(keeps_rows_apart(memory_of(q)));
  auto broadcast = out;
  broadcast.head_stride = 0;
  CHECK_FALSE(keeps_rows_apart(memory_of(broadcast)));
}

TEST_CASE("no overlap is missed, and none is seen that a byte set doesn't have where memory is nested") {
  act_test::random_numbers random(11);
  const auto pick = [&](std::size_t most) { return random.below(most + 1); };
  std::size_t apart = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto make = [&] {
      std::array<act::detail::strided_memory::axis, 3> axes;
      for (auto& axis : axes)
        axis = {pick(12), 1 + pick(2)};
      auto memory = memory_of(nullptr, 1 + pick(3), axes);
      memory.begin = 100 + pick(30);
      return memory;
    };
    const auto a = make(), b = make();
    const auto bytes_a = bytes_of(a), bytes_b = bytes_of(b);
    bool shared = false;
    for (const std::size_t byte : bytes_a)
      shared = shared || bytes_b.contains(byte);
    if (shared) REQUIRE(may_overlap(a, b));
    apart += may_overlap(a, b) ? 0 : 1;
    const bool twice = std::set<std::size_t>(bytes_a.begin(), bytes_a.end()).size() != bytes_a.size();
    if (twice) REQUIRE_FALSE(keeps_rows_apart(a));
  }
  CHECK(apart > 1000);
}

TEST_CASE("a form refuses an output over its inputs, over another output or over itself, at every length") {
  for (const std::size_t n : {4UL, 64UL, 1500UL}) {
    random_attention<float> x(1, 2, 2, n, n, 16, 16, 5);
    const auto q = x.q.tensor(), k = x.k.tensor(), v = x.v.tensor(), out = x.out.tensor();
    const act::layer_heads all = act::layer_heads::all();
    const auto before = x.q.numbers();
    act::attention_workspace<float> workspace;
    act::calibration_report report;
    for (const auto& over : {q, k, v}) {
      CHECK(refused([&] { act::calibrated_attention(q, k, v, over, all); }) == "out");
      CHECK(refused([&] { act::calibrated_attention(q, k, v, over, {}); }) == "out");
      CHECK(refused([&] { act::calibrated_attention(q, k, v, out, all, {}, {}, workspace, report, over); }) ==
            "plain");
      std::vector<float> lse(2 * n, 1);
      CHECK(refused([&] { act::correct_output(over, std::span<const float>(lse), q, k, v, all); }) == "out");
      std::vector<act::sink_tracker> trackers(2);
      CHECK(refused([&] { act::decoding_attention(q, k, v, over, all, trackers, {}, workspace); }) == "out");
    }
    CHECK(refused([&] { act::calibrated_attention(q, k, v, out, all, {}, {}, workspace, report, out); }) ==
          "plain");
    auto same_rows = out;
    same_rows.head_stride = 0;
    CHECK(refused([&] { act::calibrated_attention(q, k, v, same_rows, all); }) == "out");
    std::vector<float> few(n * n);
    const auto map = act::attention_span<float>::packed(q.data, 1, 1, n, n);
    auto one_q = q, one_k = k;
    one_q.heads = one_k.heads = 1;
    if (n <= 16) CHECK(refused([&] { act::attention_weights(one_q, one_k, map); }) == "map");
    CHECK(x.q.numbers() == before);
  }
}

TEST_CASE("an output between its inputs, in one buffer token by token, is right") {
  std::vector<float> buffer(tokens * 4 * heads * channels);
  act_test::random_numbers random(3);
  for (float& number : buffer)
    number = static_cast<float>(random.normal());
  std::vector<float> apart(heads * tokens * channels);
  const auto packed = act::head_tensor<float>::packed(apart.data(), 1, heads, tokens, channels);
  const auto q = slot(buffer, 0, 4), k = slot(buffer, 1, 4), v = slot(buffer, 2, 4), out = slot(buffer, 3, 4);
  act::calibrated_attention(q, k, v, packed, act::layer_heads::all());
  act::calibrated_attention(q, k, v, out, act::layer_heads::all());
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t i = 0; i < tokens; ++i)
      for (std::size_t c = 0; c < channels; ++c)
        CHECK(out.row(0, h, i)[c] == packed.row(0, h, i)[c]);
}

TEST_CASE("keys behind the last row's own cost no memory and change no bit") {
  constexpr std::size_t seen = 96, queries = 32, capacity = 4096;
  random_attention<float> x(1, 2, 1, queries, capacity, 16, 16, 9);
  auto few_k = x.k.tensor(), few_v = x.v.tensor();
  few_k.tokens = few_v.tokens = seen;
  const act::attention_options options{.visible = {.query_offset = seen - queries}};
  const act::layer_heads all = act::layer_heads::all();
  const auto q = x.q.tensor(), out = x.out.tensor();
  CHECK(act::calibrated_attention_bytes(q, x.k.tensor(), x.v.tensor(), out, all, {}, options) ==
        act::calibrated_attention_bytes(q, few_k, few_v, out, all, {}, options));
  std::vector<double> few_sums(2 * seen), sums(2 * capacity);
  const auto few = act::calibrated_attention(q, few_k, few_v, out, all, {}, options, few_sums);
  const std::vector<float> expected = x.out.numbers();
  const auto many = act::calibrated_attention(q, x.k.tensor(), x.v.tensor(), out, all, {}, options, sums);
  CHECK(x.out.numbers() == expected);
  for (std::size_t h = 0; h < 2; ++h) {
    CHECK(many.heads[h].sinks == few.heads[h].sinks);
    for (std::size_t j = 0; j < capacity; ++j)
      CHECK(sums[h * capacity + j] == (j < seen ? few_sums[h * seen + j] : 0));
  }
  std::vector<float> lse(2 * queries, 4);
  act::correct_output(out, std::span<const float>(lse), q, few_k, few_v, all, {}, options);
  const std::vector<float> corrected = x.out.numbers();
  std::copy(expected.begin() + 1, expected.end(), out.data);
  act::correct_output(out, std::span<const float>(lse), q, x.k.tensor(), x.v.tensor(), all, {}, options);
  CHECK(x.out.numbers() == corrected);
}
