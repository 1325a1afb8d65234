// A few rows of activations in 8 bits times stored rows of few bits: integers multiplied where the checkpoint
// has them, which is what decoding with --compute int8 does. A block's weights are never made floats.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/kernels/decode.hpp>
#include <act/runtime/products/kernels/few_rows.hpp>
#include <act/runtime/products/kernels/tiles.hpp>
#include <act/runtime/products/kernels/vectors.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace act::runtime {
namespace {

using byte32s [[gnu::vector_size(32)]] = std::uint8_t;
using int8s [[gnu::vector_size(32)]] = std::int32_t;
using float8s [[gnu::vector_size(32)]] = float;

/// Lane i: the products of weights 4 i .. 4 i + 3 (unsigned bytes, at most 255) and activations (signed).
ACT_INLINE int8s dot_by_fours(const byte32s& weights, const byte32s& x) noexcept {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
  return (int8s)_mm256_dpbusd_epi32(_mm256_setzero_si256(), (__m256i)weights, (__m256i)x);
#elif defined(__AVX2__)
  // Even and odd bytes as 16 bits: products of two bytes' pairs fit 32, which maddubs' 16 don't.
  const auto w = (__m256i)weights, of = (__m256i)x;
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(w, _mm256_set1_epi16(0xff)),
                                         _mm256_srai_epi16(_mm256_slli_epi16(of, 8), 8));
  const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(w, 8), _mm256_srai_epi16(of, 8));
  return (int8s)_mm256_add_epi32(even, odd);
#else
  const auto w = __builtin_bit_cast(int8s, weights), of = __builtin_bit_cast(int8s, x);
  return (w & 0xff) * (of << 24 >> 24) + (w >> 8 & 0xff) * (of << 16 >> 24) +
         (w >> 16 & 0xff) * (of << 8 >> 24) + (w >> 24 & 0xff) * (of >> 24);
#endif
}

/// The low halves of sixteen bytes, then their high ones.
ACT_INLINE byte32s nibbles(const std::byte* from) noexcept {
#if defined(__AVX2__)
  const __m256i twice = _mm256_broadcastsi128_si256(load<__m128i>(from));
  const __m256i shifted = _mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4));
  return (byte32s)_mm256_and_si256(shifted, _mm256_set1_epi8(0x0f));
#else
  const auto packed = load<byte16s>(from);
  byte32s both;
  store(&both, packed & 0x0f);
  store(reinterpret_cast<std::byte*>(&both) + 16, packed >> 4);
  return both;
#endif
}

/// Bit i of `bits` as 16 in byte i.
ACT_INLINE byte32s fifth_bits_of(std::uint32_t bits) noexcept {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
  return (byte32s)_mm256_maskz_set1_epi8(bits, 16);
#else
  constexpr byte32s place{0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
                          0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};
  byte32s eight{};  // each of the four bytes eight times
  for (std::size_t i = 0; i < 4; ++i)
    __builtin_memset(reinterpret_cast<std::byte*>(&eight) + 8 * i, static_cast<int>(bits >> (8 * i) & 0xff),
                     8);
  return (eight >> place & 1) << 4;
#endif
}

ACT_INLINE float8s splat8(float x) noexcept {
  return float8s{x, x, x, x, x, x, x, x};
}

// Decoders say what their block is and call use(i, q, scale, minimum) for every 32 numbers: number n is (q[n]
// - zero) scale + minimum. Scales are vectors, since Q6_K has two of them in 32 numbers.

/// `numbers_` numbers in `bytes_` bytes, around `zero_`.
template <std::size_t numbers_, std::size_t bytes_, std::uint8_t zero_>
struct scaled_block {
  static constexpr std::size_t numbers = numbers_, bytes = bytes_;
  static constexpr std::uint8_t zero = zero_;
  static constexpr bool has_minimum = false;
};

/// The same from a minimum on.
template <std::size_t numbers_, std::size_t bytes_>
struct block_with_minimum : scaled_block<numbers_, bytes_, 0> {
  static constexpr bool has_minimum = true;
};

struct int8_q8_0 : scaled_block<32, 34, 128> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, load<byte32s>(block + 2) ^ 0x80, splat8(half_at(block)), 0.0F);
  }
};

struct int8_q4_0 : scaled_block<32, 18, 8> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, nibbles(block + 2), splat8(half_at(block)), 0.0F);
  }
};

struct int8_q4_1 : block_with_minimum<32, 20> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, nibbles(block + 4), splat8(half_at(block)), half_at(block + 2));
  }
};

struct int8_q5_0 : scaled_block<32, 22, 16> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, nibbles(block + 6) | fifth_bits_of(load<std::uint32_t>(block + 2)), splat8(half_at(block)), 0.0F);
  }
};

struct int8_q5_1 : block_with_minimum<32, 24> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, nibbles(block + 8) | fifth_bits_of(load<std::uint32_t>(block + 4)), splat8(half_at(block)),
        half_at(block + 2));
  }
};

struct int8_q4_k : block_with_minimum<256, 144> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const group_of_32 low(block, 2 * pair), high(block, 2 * pair + 1);
      const auto packed = load<byte32s>(block + 16 + 32 * pair);
      use(2 * pair, packed & 0x0f, splat8(low.scale), -low.minimum);
      use(2 * pair + 1, packed >> 4, splat8(high.scale), -high.minimum);
    }
  }
};

struct int8_q5_k : block_with_minimum<256, 176> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const auto fifths = load<byte32s>(block + 16);
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const group_of_32 low(block, 2 * pair), high(block, 2 * pair + 1);
      const auto packed = load<byte32s>(block + 48 + 32 * pair);
      const byte32s two = fifths >> static_cast<std::uint8_t>(2 * pair);
      use(2 * pair, (packed & 0x0f) | (two & 1) << 4, splat8(low.scale), -low.minimum);
      use(2 * pair + 1, packed >> 4 | (two >> 1 & 1) << 4, splat8(high.scale), -high.minimum);
    }
  }
};

struct int8_q6_k : scaled_block<256, 210, 32> {
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const float of_scales = half_at(block + 208);
    const auto scales = [&](std::size_t group) {
      const auto one = [&](std::size_t i) {
        return of_scales * static_cast<float>(static_cast<std::int8_t>(block[192 + 2 * group + i]));
      };
      const float a = one(0), b = one(1);
      return float8s{a, a, a, a, b, b, b, b};
    };
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const auto low = load<byte32s>(block + 64 * half), low2 = load<byte32s>(block + 64 * half + 32);
      const auto high = load<byte32s>(block + 128 + 32 * half);
      const std::size_t i = 4 * half;
      use(i, (low & 0x0f) | (high & 3) << 4, scales(i), 0.0F);
      use(i + 1, (low2 & 0x0f) | (high >> 2 & 3) << 4, scales(i + 1), 0.0F);
      use(i + 2, low >> 4 | (high >> 4 & 3) << 4, scales(i + 2), 0.0F);
      use(i + 3, low2 >> 4 | high >> 6 << 4, scales(i + 3), 0.0F);
    }
  }
};

/// Calls use(decoder) with the decoder of `type`, or `otherwise()` where numbers aren't few bits.
template <class Use, class Otherwise>
ACT_INLINE void with_int8_decoder(tensor_type type, Use&& use, Otherwise&& otherwise) noexcept {
  switch (type) {
    case tensor_type::q8_0:
      return use(int8_q8_0{});
    case tensor_type::q4_0:
      return use(int8_q4_0{});
    case tensor_type::q4_1:
      return use(int8_q4_1{});
    case tensor_type::q5_0:
      return use(int8_q5_0{});
    case tensor_type::q5_1:
      return use(int8_q5_1{});
    case tensor_type::q4_k:
      return use(int8_q4_k{});
    case tensor_type::q5_k:
      return use(int8_q5_k{});
    case tensor_type::q6_k:
      return use(int8_q6_k{});
    default:
      return otherwise();
  }
}

// Two chains of sums a result: of even and of odd blocks of 32.
template <std::size_t rows>
struct few_int8_sums {
  float8s of[rows][2] = {};
  float minima[rows][2] = {};

  template <class Block>
  ACT_INLINE void add(std::size_t chain, const byte32s& q, const float8s& scale, float minimum,
                      const activation_words& x, std::size_t block) noexcept {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < rows; ++r) {
      const auto by = load<byte32s>(x.words + r * x.stride + 8 * block);
      int8s whole = dot_by_fours(q, by);
      if constexpr (Block::zero != 0) whole -= dot_by_fours(byte32s{} + Block::zero, by);
      const std::size_t at = r * x.block_stride + block;
      of[r][chain] += __builtin_convertvector(whole, float8s) * (scale * x.scales[at]);
      if constexpr (Block::has_minimum) minima[r][chain] += minimum * x.sums[at];
    }
  }

  [[nodiscard]] ACT_INLINE float sum(std::size_t r) const noexcept {
    using float4s [[gnu::vector_size(16)]] = float;
    const float8s eight = of[r][0] + of[r][1];
    const float4s four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return ((four[0] + four[2]) + (four[1] + four[3])) + (minima[r][0] + minima[r][1]);
  }
};

// One row of weights: as in few_rows.hpp memory is read in one stream.
template <class Block, std::size_t rows>
ACT_INLINE void multiply_int8_row(const std::byte* block, std::size_t depth, const activation_words& x,
                                  float* out, std::size_t out_stride) noexcept {
  few_int8_sums<rows> sums;
  constexpr std::size_t of_32 = Block::numbers / 32;
  const std::size_t blocks = depth / 32;
  const auto run = [&](std::size_t at, std::size_t chain) {
    Block::run(block, [&](std::size_t i, const byte32s& q, const float8s& scale, float minimum) {
      sums.template add<Block>((chain + i) % 2, q, scale, minimum, x, at + i);
    });
    block += Block::bytes;
  };
  std::size_t at = 0;
  constexpr std::size_t together = of_32 == 1 ? 2 : 1;
  for (; at + together * of_32 <= blocks; at += together * of_32) {
    prefetch_ahead<together * Block::bytes>(block);
    run(at, 0);
    if constexpr (together == 2) run(at + 1, 1);
  }
  if (at < blocks) run(at, 0);
#pragma GCC unroll 4
  for (std::size_t r = 0; r < rows; ++r)
    out[r * out_stride] = sums.sum(r);
}

template <std::size_t rows>
ACT_INLINE void multiply_some_int8(const stored_row* weights, std::size_t count, std::size_t depth,
                                   const float* x, std::size_t x_stride, const activation_words& in_bytes,
                                   float* out, std::size_t out_stride) noexcept {
  for (std::size_t first = 0, end = 0; first < count; first = end) {
    const tensor_type type = weights[first].type;
    while (end < count && weights[end].type == type)
      ++end;
    with_int8_decoder(
        type,
        [&](auto decoder) {
          using block = decltype(decoder);
          for (std::size_t n = first; n < end; ++n)
            multiply_int8_row<block, rows>(weights[n].bytes, depth, in_bytes, out + n, out_stride);
        },
        [&] {
          multiply_few(weights + first, end - first, depth, x, x_stride, rows, out + first, out_stride);
        });
  }
}

inline void multiply_few_int8(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                              std::size_t x_stride, const activation_words& in_bytes, std::size_t rows,
                              float* out, std::size_t out_stride) noexcept {
  const auto some = [&](auto number) {
    multiply_some_int8<decltype(number)::value>(weights, count, depth, x, x_stride, in_bytes, out,
                                                out_stride);
  };
  with_rows<few_rows>(rows, some);
}

}  // namespace
}  // namespace act::runtime
