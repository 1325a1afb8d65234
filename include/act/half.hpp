// float16 and bfloat16: storage types for maps and tensors in half precision. For engines without half types
// of their own; an engine's own type works too, by specialising act::element_traits for it (element.hpp), as
// fast where it says whose bits it has (stored_as). Not arithmetic types: they convert to float, are computed
// with in float, and are rounded once when stored.
#pragma once

#include <act/element.hpp>
#include <act/version.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace act::inline ACT_ABI {

/// IEEE 754 binary16: 11 significant bits, up to 65,504.
struct float16 {
  std::uint16_t bits = 0;  ///< the number as it lies in memory

  float16() = default;
  /// @param value any number; becomes a float, then the nearest float16, of two the even one
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr explicit float16(Number value) noexcept : bits(rounded(static_cast<float>(value))) {}
  /// @return the value, exact
  [[nodiscard]] constexpr operator float() const noexcept { return widened(bits); }

 private:
  /// IEEE 754 binary16 from a float, to nearest even; NaN stays NaN (quiet), what is over 65,519 becomes
  /// infinity.
  [[nodiscard]] static constexpr std::uint16_t rounded(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = bits >> 16 & 0x8000U;
    const std::uint32_t size = bits & 0x7fffffffU;
    std::uint32_t half;
    if (size >= 0x47800000U) {  // 65,536 and more, infinity, NaN
      half = size > 0x7f800000U ? 0x7e00U | (size >> 13 & 0x3ffU) : 0x7c00U;
    } else if (size < 0x38800000U) {  // below 2^-14: adding 0.5 makes the float unit round at the subnormals'
                                      // last place
      half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5F) - 0x3f000000U;
    } else {  // rebias the exponent; the addend rounds halves up, one less where the last kept bit is even
      half = (size + 0xc8000fffU + (size >> 13 & 1U)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | half);
  }

  [[nodiscard]] static constexpr float widened(std::uint16_t half) noexcept {
    const std::uint32_t sign = std::uint32_t{half} << 16 & 0x80000000U;
    const std::uint32_t size = std::uint32_t{half} << 13 & 0x0fffe000U;
    const std::uint32_t exponent = size & 0x0f800000U;
    std::uint32_t bits = size + 0x38000000U;
    if (exponent == 0x0f800000U) {  // infinity, NaN (made quiet, as the processors do)
      bits += 0x38000000U;
      if ((bits & 0x007fffffU) != 0) bits |= 0x00400000U;
    } else if (exponent == 0) {  // zero, subnormal: let the float unit normalise
      bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits + 0x00800000U) - 0x1p-14F);
    }
    return std::bit_cast<float>(sign | bits);
  }
};

/// The upper half of a float: 8 significant bits, float's range.
struct bfloat16 {
  std::uint16_t bits = 0;  ///< the number as it lies in memory

  bfloat16() = default;
  /// @param value any number; becomes a float, then the nearest bfloat16, of two the even one
  template <class Number>
  requires std::is_arithmetic_v<Number>
  constexpr explicit bfloat16(Number value) noexcept : bits(rounded(static_cast<float>(value))) {}
  /// @return the value, exact
  [[nodiscard]] constexpr operator float() const noexcept { return widened(bits); }

 private:
  /// bfloat16 from a float, to nearest even; NaN stays NaN (quiet). Subnormals are kept: AVX512-BF16's own
  /// instruction is used where there are none (detail/kernels/batch_access.hpp).
  [[nodiscard]] static constexpr std::uint16_t rounded(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t nearest = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
    const std::uint32_t quiet = bits >> 16 | 0x40U;
    return static_cast<std::uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? quiet : nearest);
  }

  [[nodiscard]] static constexpr float widened(std::uint16_t half) noexcept {
    return std::bit_cast<float>(std::uint32_t{half} << 16);
  }
};

/// float16, computed in float.
template <>
struct element_traits<float16> {
  using accumulator = float;  ///< what one element is computed in
  /// @param stored an element
  /// @return its value, exact
  static constexpr float load(float16 stored) noexcept { return stored; }
  /// @param value a result
  /// @return the nearest element, of two the even one
  static constexpr float16 store(float value) noexcept { return float16(value); }
};

/// bfloat16, computed in float.
template <>
struct element_traits<bfloat16> {
  using accumulator = float;  ///< what one element is computed in
  /// @param stored an element
  /// @return its value, exact
  static constexpr float load(bfloat16 stored) noexcept { return stored; }
  /// @param value a result
  /// @return the nearest element, of two the even one
  static constexpr bfloat16 store(float value) noexcept { return bfloat16(value); }
};

/// For an engine's own half type, whose bits are a float16's or a bfloat16's: element_traits that derive from
/// this give it the same vectorised paths, and the same bits.
///
///   template <>
///   struct act::element_traits<Eigen::half> : act::stored_as<Eigen::half, act::float16> {};
///
/// @tparam Own the engine's type; trivially copyable, 16 bits
/// @tparam Layout float16 or bfloat16
template <class Own, class Layout>
requires((std::is_same_v<Layout, float16> || std::is_same_v<Layout, bfloat16>)&&sizeof(Own) ==
             sizeof(Layout) &&
         std::is_trivially_copyable_v<Own>) struct stored_as {
  using accumulator = float;  ///< what one element is computed in
  using layout = Layout;      ///< whose bits it has
  /// @param stored an element
  /// @return its value, exact
  static constexpr float load(const Own& stored) noexcept { return std::bit_cast<Layout>(stored); }
  /// @param value a result
  /// @return the nearest element, of two the even one
  static constexpr Own store(float value) noexcept { return std::bit_cast<Own>(Layout(value)); }
};

}  // namespace act::inline ACT_ABI
