// IEEE half-precision numbers in unaligned bytes to float. For the conversions of stored tensors
// (quantization.hpp): a half is what most of their blocks have for a scale.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace act::runtime {

/// The T at `from`, at any alignment.
template <class T>
[[nodiscard]] inline T load_unaligned(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// IEEE half to float, every value exactly, infinities and NaN included. No branch, so that loops of it
/// vectorise; subnormal halves go through a subtraction of normal floats and survive a denormals-are-zero
/// mode.
[[nodiscard]] inline float half_to_float(std::uint16_t half) noexcept {
  constexpr std::uint32_t exponent_field = 0x7c00u << 13;
  const std::uint32_t magnitude = (half & 0x7fffu) << 13;
  const std::uint32_t exponent = magnitude & exponent_field;
  const std::uint32_t normal = magnitude + ((127u - 15u) << 23);
  const std::uint32_t special = normal + ((128u - 16u) << 23);
  const float subnormal =
      std::bit_cast<float>(normal + (1u << 23)) - std::bit_cast<float>((127u - 14u) << 23);
  // Masks: of conditions compilers make branches around the subtraction.
  const std::uint32_t is_special = 0u - static_cast<std::uint32_t>(exponent == exponent_field);
  const std::uint32_t is_subnormal = 0u - static_cast<std::uint32_t>(exponent == 0);
  const std::uint32_t bits = (special & is_special) |
                             (std::bit_cast<std::uint32_t>(subnormal) & is_subnormal) |
                             (normal & ~(is_special | is_subnormal));
  return std::bit_cast<float>(bits | ((half & 0x8000u) << 16));
}

/// The half at `from`.
[[nodiscard]] inline float load_half(const std::byte* from) noexcept {
  return half_to_float(load_unaligned<std::uint16_t>(from));
}

}  // namespace act::runtime
