// The inner loop of a product: a few rows of activations times a panel of features, sums in registers.
//
// Of every word of a panel (a float, two bfloat16 or four bytes; kernel_table.hpp) a vector of features is
// read once and multiplied with the same word of each row. The number of rows at a time is what the registers
// hold beside it: reading the panel and the activations then costs less than the multiplications.
#pragma once

#include <act/runtime/products/kernels/vectors.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__AVX512BF16__) || defined(__AVX512VNNI__) || defined(__SSE2__)
#include <immintrin.h>
#endif

namespace act::runtime {
namespace {

/// Vectors of features in a panel, and rows in a tile: with 32 registers 24 sums, with 16 registers 12.
inline constexpr std::size_t panel_vectors = 2;
inline constexpr std::size_t panel_features = panel_vectors * lanes;
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr std::size_t tile_rows = 12;
#else
inline constexpr std::size_t tile_rows = 6;
#endif
// Beside each sum in float one of integers.
inline constexpr std::size_t int8_tile_rows = tile_rows / 2;

struct word_f32 {
  static constexpr std::size_t numbers = 1;
  ACT_INLINE static void add(floats& sum, const words& weights, std::uint32_t x) noexcept {
    sum += __builtin_bit_cast(floats, weights) * __builtin_bit_cast(float, x);
  }
};

struct word_bf16 {
  static constexpr std::size_t numbers = 2;
  ACT_INLINE static void add(floats& sum, const words& weights, std::uint32_t x) noexcept {
#if defined(__AVX512BF16__)
    sum = (floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)(words{} + x), (__m512bh)weights);
#else
    sum += __builtin_bit_cast(floats, weights << 16) * __builtin_bit_cast(float, x << 16);
    sum += __builtin_bit_cast(floats, weights & 0xffff0000u) * __builtin_bit_cast(float, x & 0xffff0000u);
#endif
  }
};

/// sum += the products of a word's four weights (unsigned bytes) and activations (signed bytes).
ACT_INLINE void add_int8(ints& sum, const words& weights, std::uint32_t x) noexcept {
#if defined(__AVX512VNNI__)
  sum = (ints)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)weights, (__m512i)(words{} + x));
#else
  // Bytes 0 and 2, then 1 and 3, as pairs of 16 bits: their products' sum fits 32.
  const auto low = [](std::uint32_t pair) {
    return static_cast<std::uint32_t>(static_cast<std::uint16_t>(static_cast<std::int8_t>(pair))) |
           static_cast<std::uint32_t>(static_cast<std::int8_t>(pair >> 16)) << 16;
  };
  const words even = weights & 0x00ff00ffu, odd = weights >> 8 & 0x00ff00ffu;
  const words x_even = words{} + low(x), x_odd = words{} + low(x >> 8);
#if defined(__AVX512BW__)
  sum += (ints)_mm512_madd_epi16((__m512i)even, (__m512i)x_even) +
         (ints)_mm512_madd_epi16((__m512i)odd, (__m512i)x_odd);
#elif defined(__AVX2__)
  sum += (ints)_mm256_madd_epi16((__m256i)even, (__m256i)x_even) +
         (ints)_mm256_madd_epi16((__m256i)odd, (__m256i)x_odd);
#elif defined(__SSE2__) && !defined(__AVX__)
  sum += (ints)_mm_madd_epi16((__m128i)even, (__m128i)x_even) +
         (ints)_mm_madd_epi16((__m128i)odd, (__m128i)x_odd);
#else
  const auto high = [](const words& pairs) { return __builtin_bit_cast(ints, pairs) >> 16; };
  const auto lower = [](const words& pairs) { return __builtin_bit_cast(ints, pairs << 16) >> 16; };
  sum += lower(even) * lower(x_even) + high(even) * high(x_even) + lower(odd) * lower(x_odd) +
         high(odd) * high(x_odd);
#endif
#endif
}

/// Rows of words, `stride` apart. Three beginnings five rows apart: the processor's addresses reach the rows
/// between them.
struct word_rows {
  const std::uint32_t *first, *fifth, *tenth;
  std::size_t stride;

  ACT_INLINE word_rows(const std::uint32_t* from, std::size_t row_stride) noexcept
      : first(from), fifth(from + 5 * row_stride), tenth(from + 10 * row_stride), stride(row_stride) {}
  ACT_INLINE std::uint32_t operator()(std::size_t row, std::size_t word) const noexcept {
    if (row < 5) return (first + row * stride)[word];
    if (row < 10) return (fifth + (row - 5) * stride)[word];
    return (tenth + (row - 10) * stride)[word];
  }
};

/// Where the sums of a tile go: the result itself, or a place beside it where the panel has fewer features.
struct tile_place {
  float* to;
  std::size_t stride;
};

/// A tile's sums: 0, or what stands in their place.
template <std::size_t rows>
ACT_INLINE void begin_sums(floats (&sums)[rows][panel_vectors], tile_place place, bool continued) noexcept {
#pragma GCC unroll 16
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < panel_vectors; ++v)
      sums[r][v] = continued ? load<floats>(place.to + r * place.stride + v * lanes) : floats{};
  }
}

template <std::size_t rows>
ACT_INLINE void end_sums(const floats (&sums)[rows][panel_vectors], tile_place place) noexcept {
#pragma GCC unroll 16
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (std::size_t v = 0; v < panel_vectors; ++v)
      store(place.to + r * place.stride + v * lanes, sums[r][v]);
  }
}

template <class Word, std::size_t rows>
ACT_INLINE void multiply_tile(const std::uint32_t* x, std::size_t x_stride, const std::uint32_t* panel,
                              std::size_t depth, tile_place out, bool continued) noexcept {
  floats sums[rows][panel_vectors];
  begin_sums(sums, out, continued);
  const word_rows from(x, x_stride);
  const std::size_t count = (depth + Word::numbers - 1) / Word::numbers;
  for (std::size_t k = 0; k < count; ++k) {
    words weights[panel_vectors];
#pragma GCC unroll 2
    for (std::size_t v = 0; v < panel_vectors; ++v)
      weights[v] = load<words>(panel + k * panel_features + v * lanes);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
      const std::uint32_t word = from(r, k);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < panel_vectors; ++v)
        Word::add(sums[r][v], weights[v], word);
    }
  }
  end_sums(sums, out);
}

/// Activations and weights in 8 bits, and what a block of 32 is scaled by.
struct int8_factors {
  const std::uint32_t* x;
  std::size_t x_stride;
  const float *x_scales, *x_sums;
  std::size_t block_stride;
  const std::uint32_t* panel;
  const float *scales, *minima;
};

template <std::size_t rows>
ACT_INLINE void multiply_int8_tile(const int8_factors& of, std::size_t depth, tile_place out,
                                   bool continued) noexcept {
  constexpr std::size_t words_a_block = 8;
  floats sums[rows][panel_vectors];
  begin_sums(sums, out, continued);
  const word_rows from(of.x, of.x_stride);
  const std::size_t blocks = (depth + 31) / 32;
  for (std::size_t block = 0; block < blocks; ++block) {
    ints whole[rows][panel_vectors] = {};
#pragma GCC unroll 8
    for (std::size_t i = 0; i < words_a_block; ++i) {
      const std::size_t k = block * words_a_block + i;
      words weights[panel_vectors];
#pragma GCC unroll 2
      for (std::size_t v = 0; v < panel_vectors; ++v)
        weights[v] = load<words>(of.panel + k * panel_features + v * lanes);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < rows; ++r) {
        const std::uint32_t word = from(r, k);
#pragma GCC unroll 2
        for (std::size_t v = 0; v < panel_vectors; ++v)
          add_int8(whole[r][v], weights[v], word);
      }
    }
#pragma GCC unroll 2
    for (std::size_t v = 0; v < panel_vectors; ++v) {
      const auto scale = load<floats>(of.scales + block * panel_features + v * lanes);
      const auto minimum = load<floats>(of.minima + block * panel_features + v * lanes);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t at = r * of.block_stride + block;
        sums[r][v] += __builtin_convertvector(whole[r][v], floats) * (scale * of.x_scales[at]);
        sums[r][v] += minimum * of.x_sums[at];
      }
    }
  }
  end_sums(sums, out);
}

/// Calls tile(constant<n>) with n = rows, at most `most`.
template <std::size_t n>
struct constant {
  static constexpr std::size_t value = n;
};
template <std::size_t most, class Tile>
ACT_INLINE void with_rows(std::size_t rows, Tile&& tile) noexcept {
  if constexpr (most > 0) {
    if (rows == most) return tile(constant<most>{});
    return with_rows<most - 1>(rows, tile);
  }
}

/// All rows in tiles of nearly the same size, so that none is left with a single row; `tile(first, constant,
/// place)`. `out` has `columns` features, which may be fewer than the panel has.
template <std::size_t most, class Tile>
ACT_INLINE void in_tiles(std::size_t rows, float* out, std::size_t out_stride, std::size_t columns,
                         bool continued, const Tile& tile) noexcept {
  const std::size_t tiles = (rows + most - 1) / most;
  std::size_t first = 0;
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::size_t count = rows / tiles + (i < rows % tiles ? 1 : 0);
    float* const to = out + first * out_stride;
    if (columns == panel_features) {
      with_rows<most>(count, [&](auto n) { tile(first, n, tile_place{to, out_stride}); });
    } else {
      alignas(64) float beside[most * panel_features];
      if (continued) {
        for (std::size_t r = 0; r < count; ++r)
          __builtin_memcpy(beside + r * panel_features, to + r * out_stride, columns * sizeof(float));
      }
      with_rows<most>(count, [&](auto n) { tile(first, n, tile_place{beside, panel_features}); });
      for (std::size_t r = 0; r < count; ++r)
        __builtin_memcpy(to + r * out_stride, beside + r * panel_features, columns * sizeof(float));
    }
    first += count;
  }
}

template <class Word>
void multiply_panel(const std::uint32_t* x, std::size_t x_stride, std::size_t rows,
                    const std::uint32_t* panel, std::size_t depth, float* out, std::size_t out_stride,
                    std::size_t columns, bool continued) noexcept {
  in_tiles<tile_rows>(rows, out, out_stride, columns, continued,
                      [&](std::size_t first, auto count, tile_place place) {
                        multiply_tile<Word, decltype(count)::value>(x + first * x_stride, x_stride, panel,
                                                                    depth, place, continued);
                      });
}

inline void multiply_int8_panel(const std::uint32_t* x, std::size_t x_stride, const float* x_scales,
                                const float* x_sums, std::size_t block_stride, std::size_t rows,
                                const std::uint32_t* panel, const float* scales, const float* minima,
                                std::size_t depth, float* out, std::size_t out_stride, std::size_t columns,
                                bool continued) noexcept {
  in_tiles<int8_tile_rows>(rows, out, out_stride, columns, continued,
                           [&](std::size_t first, auto count, tile_place place) {
                             const int8_factors of{x + first * x_stride,
                                                   x_stride,
                                                   x_scales + first * block_stride,
                                                   x_sums + first * block_stride,
                                                   block_stride,
                                                   panel,
                                                   scales,
                                                   minima};
                             multiply_int8_tile<decltype(count)::value>(of, depth, place, continued);
                           });
}

}  // namespace
}  // namespace act::runtime
