// An engine's own half types, told by their layout: to the bit what act's own give, for every tail length.
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "random/random_attention.hpp"
#include "random/random_map.hpp"

namespace own_half_type {

/// No arithmetic, no conversions: bits.
struct half {
  std::uint16_t bits;
};
struct brain {
  std::uint16_t bits;
};
/// Its default is not 0: only what the kernels were given may count.
struct half_of_one {
  half_of_one() : bits(0x3c00) {}
  std::uint16_t bits;
};

}  // namespace own_half_type

template <>
struct act::element_traits<own_half_type::half> : act::stored_as<own_half_type::half, act::float16> {};
template <>
struct act::element_traits<own_half_type::brain> : act::stored_as<own_half_type::brain, act::bfloat16> {};
template <>
struct act::element_traits<own_half_type::half_of_one>
    : act::stored_as<own_half_type::half_of_one, act::float16> {};

namespace {

template <class Own, class Layout>
struct pair_of {
  using own = Own;
  using layout = Layout;
};

template <class Own, class Layout>
act::head_tensor<Own> as_own(const act::head_tensor<Layout>& tensor) {
  return {reinterpret_cast<Own*>(tensor.data),
          tensor.batches,
          tensor.heads,
          tensor.tokens,
          tensor.channels,
          tensor.batch_stride,
          tensor.head_stride,
          tensor.token_stride};
}

}  // namespace

TEST_CASE_TEMPLATE("an engine's own half type is read and written as its layout says", pair,
                   pair_of<own_half_type::half, act::float16>, pair_of<own_half_type::brain, act::bfloat16>,
                   pair_of<own_half_type::half_of_one, act::float16>) {
  using own = typename pair::own;
  using layout = typename pair::layout;
  static_assert(act::attention_element<own>);
  std::size_t sinks = 0;
  for (std::size_t tokens = 1; tokens <= 70; ++tokens) {
    act_test::random_map<layout> expected({.heads = 2, .queries = tokens, .keys = tokens}, unsigned(tokens));
    act_test::random_map<layout> map({.heads = 2, .queries = tokens, .keys = tokens}, unsigned(tokens));
    const auto& m = map.span();
    const act::attention_span<own> mine{reinterpret_cast<own*>(m.data),
                                        m.batches,
                                        m.heads,
                                        m.queries,
                                        m.keys,
                                        m.batch_stride,
                                        m.head_stride,
                                        m.query_stride,
                                        {}};
    const auto report = act::calibrate(expected.span(), act::layer_heads::all());
    CHECK(act::calibrate(mine, act::layer_heads::all()).heads[1].sinks == report.heads[1].sinks);
    CHECK(act_test::same_bits(map.elements(), expected.elements()));
    sinks += report.heads[1].sinks.size();

    const auto inputs = [&] {
      return act_test::random_attention<layout>(1, 2, 1, tokens, tokens, tokens, tokens, unsigned(tokens));
    };
    act_test::random_attention<layout> x = inputs(), y = inputs();
    act::calibrated_attention<layout>(x.q.tensor(), x.k.tensor(), x.v.tensor(), x.out.tensor(), {0});
    act::calibrated_attention<own>(as_own<own>(y.q.tensor()), as_own<own>(y.k.tensor()),
                                   as_own<own>(y.v.tensor()), as_own<own>(y.out.tensor()), {0});
    CHECK(act_test::same_bits(x.out.numbers(), y.out.numbers()));
  }
  CHECK(sinks > 50);
}
