// From stored rows to panels, and from activations to the words that panels are multiplied with.
#pragma once

#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/kernels/decode.hpp>
#include <act/runtime/products/kernels/tiles.hpp>
#include <act/runtime/products/kernels/vectors.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>
#include <cstdint>

namespace act::runtime {
namespace {

/// Numbers of a row that are expanded at a time: a multiple of every block, and 4 rows of them stay in the
/// nearest cache.
inline constexpr std::size_t stretch = 256;

/// Numbers [first, first + depth) of a row; `first` is a multiple of `stretch`, and so is the end, or it is
/// the row's own.
ACT_INLINE void decode_row(const stored_row& row, std::size_t first, std::size_t depth, float* out) noexcept {
  with_decoder(
      row.type,
      [&](auto decoder) {
        using block = decltype(decoder);
        const std::byte* from = row.bytes + first / block::numbers * block::bytes;
        std::size_t at = 0;
        for (; at + block::numbers <= depth; at += block::numbers, from += block::bytes)
          block::run(from, [&](std::size_t i, const float16s& values) { store(out + at + 16 * i, values); });
        if (at < depth) {  // only where a number is a block of its own
          std::byte rest[block::bytes] = {};
          float values[block::numbers];
          const std::size_t left = depth - at;
          __builtin_memcpy(rest, from, left * (block::bytes / block::numbers));
          block::run(rest, [&](std::size_t i, const float16s& some) { store(values + 16 * i, some); });
          __builtin_memcpy(out + at, values, left * sizeof(float));
        }
      },
      [&] { decode_elsewhere(row, first, depth, out); });
}

/// Words of four rows become words of four features: panel[k][n .. n + 3].
ACT_INLINE void turn(const std::uint32_t* rows, std::size_t row_stride, std::size_t count,
                     std::uint32_t* panel) noexcept {
  std::size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const auto a = load<word4s>(rows + k), b = load<word4s>(rows + row_stride + k),
               c = load<word4s>(rows + 2 * row_stride + k), d = load<word4s>(rows + 3 * row_stride + k);
    const word4s ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                 cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store(panel + k * panel_features, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    store(panel + (k + 1) * panel_features, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    store(panel + (k + 2) * panel_features, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
    store(panel + (k + 3) * panel_features, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
  }
  for (; k < count; ++k) {
    for (std::size_t n = 0; n < 4; ++n)
      panel[k * panel_features + n] = rows[n * row_stride + k];
  }
}

/// To the nearest bfloat16, ties to even, in the lower halves.
ACT_INLINE word16s to_bf16(const float16s& x) noexcept {
  const auto bits = __builtin_bit_cast(word16s, x);
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

/// Pairs of bfloat16; a last one without partner gets 0.
inline void convert_bf16(const float* x, std::size_t depth, std::uint32_t* out) noexcept {
  std::size_t at = 0;
  for (; at + 16 <= depth; at += 16)
    store(out + at / 2, __builtin_convertvector(to_bf16(load<float16s>(x + at)), short16s));
  if (at == depth) return;
  float rest[16] = {};
  __builtin_memcpy(rest, x + at, (depth - at) * sizeof(float));
  const short16s last = __builtin_convertvector(to_bf16(load<float16s>(rest)), short16s);
  __builtin_memcpy(out + at / 2, &last, (depth - at + 1) / 2 * sizeof(std::uint32_t));
}

template <class Vector>
ACT_INLINE Vector larger(const Vector& a, const Vector& b) noexcept {
  return a > b ? a : b;
}
ACT_INLINE float largest_of(const float16s& x) noexcept {
  float16s m = larger(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  m = larger(m, __builtin_shufflevector(m, m, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  m = larger(m, __builtin_shufflevector(m, m, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return m[0] > m[1] ? m[0] : m[1];
}

/// To the nearest whole number, ties to even, for |x| < 2^22.
ACT_INLINE int16s rounded(const float16s& x) noexcept {
  constexpr float shift = 12582912.0F;  // 1.5 x 2^23: its last bit is worth 1
  return __builtin_bit_cast(int16s, x + shift) - __builtin_bit_cast(std::int32_t, shift);
}

/// `depth` numbers as 8-bit blocks: a scale each, and its product with the numbers' sum.
inline void convert_int8(const float* x, std::size_t depth, std::uint32_t* out, float* scales,
                         float* sums) noexcept {
  for (std::size_t at = 0, block = 0; at < depth; at += 32, ++block) {
    float rest[32] = {};
    const float* from = x + at;
    if (depth - at < 32) {
      __builtin_memcpy(rest, from, (depth - at) * sizeof(float));
      from = rest;
    }
    const auto low = load<float16s>(from), high = load<float16s>(from + 16);
    const float most = largest_of(larger(larger(low, -low), larger(high, -high)));
    const float inverse = most > 0 ? 127.0F / most : 0.0F;
    const int16s q0 = rounded(low * inverse), q1 = rounded(high * inverse);
    store(out + 8 * block, __builtin_convertvector(q0, char16s));
    store(out + 8 * block + 4, __builtin_convertvector(q1, char16s));
    scales[block] = most / 127.0F;
    sums[block] = scales[block] * sum_of(to_floats(q0 + q1));
  }
}

/// 32 weights as bytes q >= 0 of scale q + minimum.
ACT_INLINE void weights_to_int8(const float* x, std::uint32_t* out, float& scale, float& minimum) noexcept {
  const auto low = load<float16s>(x), high = load<float16s>(x + 16);
  const float most = largest_of(larger(low, high)), least = -largest_of(larger(-low, -high));
  scale = (most - least) / 255.0F;
  minimum = least;
  const float inverse = most > least ? 255.0F / (most - least) : 0.0F;
  store(out, __builtin_convertvector(rounded((low - least) * inverse), byte16s));
  store(out + 4, __builtin_convertvector(rounded((high - least) * inverse), byte16s));
}

inline void expand_f32(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                       std::uint32_t* panel) noexcept {
  alignas(64) float numbers[4][stretch];
  for (std::size_t n = 0; n < panel_features; n += 4) {
    for (std::size_t at = 0; at < depth; at += stretch) {
      const std::size_t some = depth - at < stretch ? depth - at : stretch;
      for (std::size_t i = 0; i < 4; ++i) {
        if (n + i < count) {
          decode_row(rows[n + i], first + at, some, numbers[i]);
        } else {
          __builtin_memset(numbers[i], 0, sizeof numbers[i]);
        }
      }
      turn(reinterpret_cast<const std::uint32_t*>(numbers[0]), stretch, some,
           panel + at * panel_features + n);
    }
  }
}

inline void expand_bf16(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                        std::uint32_t* panel) noexcept {
  alignas(64) float numbers[stretch];
  alignas(64) std::uint32_t made[4][stretch / 2];
  for (std::size_t n = 0; n < panel_features; n += 4) {
    for (std::size_t at = 0; at < depth; at += stretch) {
      const std::size_t some = depth - at < stretch ? depth - at : stretch;
      for (std::size_t i = 0; i < 4; ++i) {
        if (n + i < count) {
          decode_row(rows[n + i], first + at, some, numbers);
          convert_bf16(numbers, some, made[i]);
        } else {
          __builtin_memset(made[i], 0, sizeof made[i]);
        }
      }
      turn(made[0], stretch / 2, (some + 1) / 2, panel + at / 2 * panel_features + n);
    }
  }
}

inline void expand_int8(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                        std::uint32_t* panel, float* scales, float* minima) noexcept {
  const std::size_t blocks = (depth + 31) / 32;
  __builtin_memset(scales, 0, blocks * panel_features * sizeof(float));
  __builtin_memset(minima, 0, blocks * panel_features * sizeof(float));
  alignas(64) float numbers[stretch];
  alignas(64) std::uint32_t made[4][stretch / 4];
  for (std::size_t n = 0; n < panel_features; n += 4) {
    for (std::size_t at = 0; at < depth; at += stretch) {
      const std::size_t some = depth - at < stretch ? depth - at : stretch;
      const std::size_t some_blocks = (some + 31) / 32;
      for (std::size_t i = 0; i < 4; ++i) {
        if (n + i >= count) {
          __builtin_memset(made[i], 0, sizeof made[i]);
          continue;
        }
        decode_row(rows[n + i], first + at, some, numbers);
        if (some % 32 != 0) __builtin_memset(numbers + some, 0, (32 - some % 32) * sizeof(float));
        for (std::size_t block = 0; block < some_blocks; ++block) {
          const std::size_t place = (at / 32 + block) * panel_features + n + i;
          weights_to_int8(numbers + 32 * block, made[i] + 8 * block, scales[place], minima[place]);
        }
      }
      turn(made[0], stretch / 4, 8 * some_blocks, panel + at / 4 * panel_features + n);
    }
  }
}

}  // namespace
}  // namespace act::runtime
