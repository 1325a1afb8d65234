// Vectors of the compiler's own kind (g++ and clang): the same source for every processor, and types that
// convert in registers. For the kernels of products alone, each of which is compiled several times.
//
// Everything in this folder has internal linkage, since the same names are compiled for different processors:
// a function that two units shared would run with whichever instructions the linker keeps.
#pragma once

#include <cstddef>
#include <cstdint>

namespace act::runtime {
namespace {

#if defined(__AVX512F__)
inline constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX__)
inline constexpr std::size_t vector_bytes = 32;
#else
inline constexpr std::size_t vector_bytes = 16;
#endif
/// Numbers of four bytes in a register.
inline constexpr std::size_t lanes = vector_bytes / 4;

using floats [[gnu::vector_size(vector_bytes)]] = float;
using ints [[gnu::vector_size(vector_bytes)]] = std::int32_t;
using words [[gnu::vector_size(vector_bytes)]] = std::uint32_t;

// Sixteen numbers, whatever the registers hold: half a block of a quantised type.
using float16s [[gnu::vector_size(64)]] = float;
using int16s [[gnu::vector_size(64)]] = std::int32_t;
using word16s [[gnu::vector_size(64)]] = std::uint32_t;
using byte16s [[gnu::vector_size(16)]] = std::uint8_t;
using char16s [[gnu::vector_size(16)]] = std::int8_t;
using short16s [[gnu::vector_size(32)]] = std::uint16_t;
// Four: what is turned at a time.
using word4s [[gnu::vector_size(16)]] = std::uint32_t;

#define ACT_INLINE [[gnu::always_inline]] inline

template <class Vector>
ACT_INLINE Vector load(const void* from) noexcept {
  Vector value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
template <class Vector>
ACT_INLINE void store(void* to, const Vector& value) noexcept {
  __builtin_memcpy(to, &value, sizeof value);
}

/// All 16 added up in pairs: the same order everywhere.
ACT_INLINE float sum_of(const float16s& x) noexcept {
  using float8s [[gnu::vector_size(32)]] = float;
  using float4s [[gnu::vector_size(16)]] = float;
  const float8s eight = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                        __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  const float4s four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

}  // namespace
}  // namespace act::runtime
