// Half types: conversions exact and rounded to nearest even, the same on every path; calibration of half
// maps, of Eigen's and the compiler's half types, and of a type that act has never heard of.
#include <act/calibrate.hpp>
#include <act/detail/kernels/batch_access.hpp>
#include <act/half.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "random/random_map.hpp"
#include "random/random_numbers.hpp"

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#define ACT_TEST_HAS_EIGEN
#endif
// clang 14 has no _Float16 for x86, and gcc 12 none for ARM in C++, though it defines the type's limits.
#if defined(__FLT16_MAX__) && !defined(__clang__) && (defined(__x86_64__) || __GNUC__ >= 13)
#define ACT_TEST_HAS_FLOAT16
#endif

namespace {

/// An engine's own storage type: weights in 16-bit fixed point.
struct fixed_point {
  std::int16_t steps = 0;
  fixed_point() = default;
  template <class Number>
  explicit fixed_point(Number value)
      : steps(static_cast<std::int16_t>(std::lround(std::fmax(static_cast<float>(value), -1.0F) * 32767))) {}
  operator float() const { return static_cast<float>(steps) / 32767; }
};

template <class Half>
Half from_bits(std::uint32_t bits) {
  Half half;
  half.bits = static_cast<std::uint16_t>(bits);
  return half;
}

/// The nearest value of a format with `digits` significant bits and exponents from `lowest` on, ties to even,
/// by arithmetic in double rather than on bits.
double rounded(double value, int digits, int lowest) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), lowest);
  const double unit = std::ldexp(1.0, exponent - digits + 1);
  return std::nearbyint(value / unit) * unit;
}

template <class Half>
struct format;
template <>
struct format<act::float16> {
  static constexpr int digits = 11, lowest = -14;
  static constexpr double largest = 65504;
};
template <>
struct format<act::bfloat16> {
  static constexpr int digits = 8, lowest = -126;
  static constexpr double largest = 0x1.fep127;
};

}  // namespace

#if defined(ACT_TEST_HAS_EIGEN)
template <>
struct act::element_traits<Eigen::half> {
  using accumulator = float;
  static float load(Eigen::half stored) noexcept { return static_cast<float>(stored); }
  static Eigen::half store(float value) noexcept { return Eigen::half(value); }
};
#endif
#if defined(ACT_TEST_HAS_FLOAT16)
template <>
struct act::element_traits<_Float16> {
  using accumulator = float;
  static float load(_Float16 stored) noexcept { return static_cast<float>(stored); }
  static _Float16 store(float value) noexcept { return static_cast<_Float16>(value); }
};
#endif
template <>
struct act::element_traits<fixed_point> {
  using accumulator = float;
  static float load(fixed_point stored) noexcept { return stored; }
  static fixed_point store(float value) noexcept { return fixed_point(value); }
};

TEST_CASE_TEMPLATE("every half value survives the way to float and back", Half, act::float16, act::bfloat16) {
  std::size_t wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = from_bits<Half>(bits);
    const Half back(wide);
    wrong += std::isnan(wide) ? !std::isnan(float(back)) : back.bits != bits;
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("floats are rounded to nearest, ties to even", Half, act::float16, act::bfloat16) {
  using its = format<Half>;
  act_test::random_numbers random(1);
  std::size_t wrong = 0;
  const auto check = [&](float value) {
    const double expected = rounded(static_cast<double>(value), its::digits, its::lowest);
    const float got = Half(value);
    if (std::isnan(value)) {
      wrong += !std::isnan(got);
    } else if (std::abs(expected) > its::largest) {
      wrong += !std::isinf(got) || std::signbit(got) != std::signbit(value);
    } else {
      wrong += static_cast<double>(got) != expected || std::signbit(got) != std::signbit(value);
    }
  };
  for (int k = 0; k < 2'000'000; ++k)
    check(std::bit_cast<float>(random.bits()));
  for (std::uint32_t bits = 0; bits < 0x10000;
       ++bits) {  // every value's neighbours and the ties between values
    const auto at = std::bit_cast<std::uint32_t>(float(from_bits<Half>(bits)));
    for (const std::uint32_t half_way : {0x1000U, 0x8000U}) {
      for (std::uint32_t delta = 0; delta < 3; ++delta)
        check(std::bit_cast<float>(at + half_way - 1 + delta));
    }
  }
  CHECK(wrong == 0);
  CHECK(std::isinf(float(act::float16(65520.0F))));
  CHECK(float(act::float16(65519.0F)) == 65504.0F);
  CHECK(float(act::float16(0x1p-25F)) == 0.0F);
  CHECK(float(act::float16(0x1.8p-25F)) == 0x1p-24F);
}

#if defined(ACT_TEST_HAS_FLOAT16)
TEST_CASE("float16 is the compiler's _Float16") {
  act_test::random_numbers random(2);
  std::size_t wrong = 0;
  for (int k = 0; k < 1'000'000; ++k) {
    const auto value = std::bit_cast<float>(random.bits());
    const auto theirs = static_cast<_Float16>(value);
    std::uint16_t bits;
    std::memcpy(&bits, &theirs, sizeof bits);
    wrong += act::float16(value).bits != bits;
  }
  CHECK(wrong == 0);
}
#endif

#if defined(ACT_DETAIL_HAS_XSIMD)
TEST_CASE_TEMPLATE("batches convert to the bit as single elements do", Half, act::float16, act::bfloat16) {
  using arch = act::simd::default_arch;
  if constexpr (act::simd::vectorised<float, arch>) {
    using access = act::detail::batch_access<Half, arch>;
    act_test::random_numbers random(3);
    std::size_t wrong = 0;
    Half in[access::lanes], out[access::lanes];
    float wide[access::lanes];
    for (std::uint32_t bits = 0; bits < 0x10000; bits += access::lanes) {
      for (std::uint32_t k = 0; k < access::lanes; ++k)
        in[k] = from_bits<Half>(bits + k);
      access::load(in).store_unaligned(wide);
      for (std::size_t k = 0; k < access::lanes; ++k) {
        wrong += std::bit_cast<std::uint32_t>(wide[k]) != std::bit_cast<std::uint32_t>(float(in[k]));
      }
    }
    CHECK(wrong == 0);
    for (int round = 0; round < 100'000; ++round) {
      for (float& each : wide)
        each = std::bit_cast<float>(random.bits());
      access::store(access::batch::load_unaligned(wide), out);
      for (std::size_t k = 0; k < access::lanes; ++k)
        wrong += out[k].bits != Half(wide[k]).bits;
    }
    CHECK(wrong == 0);
  }
}
#endif

TEST_CASE_TEMPLATE("maps of half types agree with the oracle to one rounding", Half, act::float16,
                   act::bfloat16) {
  double worst = 0;  // in units of the format's rounding error
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const std::size_t n = 1 + seed * 2;
    const act_test::map_shape shape{
        .heads = 2, .queries = n, .keys = n, .window = seed % 4 == 0 ? 30UL : 0UL};
    act_test::random_map<Half> map(shape, seed), scalar(shape, seed);
    reference::map expected = map.to_reference();
    const auto report = act::calibrate(map.span(), act::layer_heads::all());
    act::calibrate<Half, act::simd::scalar>(scalar.span(), act::layer_heads::all());
    for (const act::head_report& each : report.heads) {
      std::vector<std::size_t> sinks;
      for (const act::sink& s : each.sinks)
        sinks.push_back(s.position);
      reference::calibrate(expected, each.batch, each.head, sinks, 0.4);
    }
    const reference::map got = map.to_reference(), plain = scalar.to_reference();
    for (std::size_t k = 0; k < got.weights.size(); ++k) {
      const double unit = expected.weights[k] * std::ldexp(1.0, -format<Half>::digits) * 1.001 +
                          std::ldexp(1.0, format<Half>::lowest - format<Half>::digits);
      worst = std::max(worst, std::abs(got.weights[k] - expected.weights[k]) / unit);
      CHECK(std::abs(got.weights[k] - plain.weights[k]) <= 2 * unit);  // a factor's last bit can cross a tie
    }
  }
  MESSAGE("largest difference from the oracle: " << worst << " of half a unit in the last place");
  CHECK(worst <= 1);
}

template <class T>
static void check_foreign_type(double tolerance) {
  act_test::random_map<T> map({.heads = 2, .queries = 70, .keys = 70}, 4);
  reference::map expected = map.to_reference();
  const auto report = act::calibrate(map.span(), {1});
  REQUIRE_FALSE(report.heads[0].sinks.empty());
  std::vector<std::size_t> sinks;
  for (const act::sink& s : report.heads[0].sinks)
    sinks.push_back(s.position);
  reference::calibrate(expected, 0, 1, sinks, 0.4);
  const reference::map got = map.to_reference();
  double worst = 0;
  for (std::size_t k = 0; k < got.weights.size(); ++k) {
    worst = std::max(worst, std::abs(got.weights[k] - expected.weights[k]));
  }
  CHECK(worst <= tolerance);
}

TEST_CASE("an engine's own type") {
  check_foreign_type<fixed_point>(0.51 / 32767);
}
#if defined(ACT_TEST_HAS_EIGEN)
TEST_CASE("Eigen::half") {
  check_foreign_type<Eigen::half>(0x1p-12);
}
#endif
#if defined(ACT_TEST_HAS_FLOAT16)
TEST_CASE("_Float16") {
  check_foreign_type<_Float16>(0x1p-12);
}
#endif
