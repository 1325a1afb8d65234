// A few rows of activations times stored rows, each weight being expanded in a register and used at once:
// what decoding does, where reading the weights is the work.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/kernels/decode.hpp>
#include <act/runtime/products/kernels/vectors.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>

namespace act::runtime {
namespace {

/// Rows of activations that `multiply_few` takes at a time.
inline constexpr std::size_t few_rows = 4;

// Two chains of sums a result: of the even and of the odd sixteens of a block.
template <std::size_t rows>
struct few_sums {
  float16s of[rows][2] = {};

  ACT_INLINE void add(std::size_t i, const float16s& weights, const float* x, std::size_t x_stride) noexcept {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < rows; ++r)
      of[r][i % 2] += weights * load<float16s>(x + r * x_stride + 16 * i);
  }
};

// Every line of the `bytes` a page further on: behind a row the next ones follow, and a page is further than
// a processor looks by itself. Fetching only some of the lines is slower than fetching none.
template <std::size_t bytes>
ACT_INLINE void prefetch_ahead(const std::byte* block) noexcept {
  constexpr std::size_t ahead = 4096, line = 64;
#pragma GCC unroll 4
  for (std::size_t at = 0; at < (bytes + line / 2) / line * line + (bytes < line / 2 ? line : 0); at += line)
    __builtin_prefetch(block + ahead + at);
}

// A row of weights after the other: memory is read in one stream, which is what bounds this.
template <class Block, std::size_t rows>
ACT_INLINE void multiply_blocks(const stored_row& weights, std::size_t depth, const float* x,
                                std::size_t x_stride, float* out, std::size_t out_stride) noexcept {
  few_sums<rows> sums;
  constexpr bool single = Block::numbers == 16;  // two of them, so that both chains are used
  constexpr std::size_t step = single ? 32 : Block::numbers;
  const std::byte* block = weights.bytes;
  std::size_t at = 0;
  for (; at + step <= depth; at += step, block += step / Block::numbers * Block::bytes) {
    prefetch_ahead<step / Block::numbers * Block::bytes>(block);
    Block::run(block, [&](std::size_t i, const float16s& values) { sums.add(i, values, x + at, x_stride); });
    if constexpr (single) {
      Block::run(block + Block::bytes,
                 [&](std::size_t, const float16s& values) { sums.add(1, values, x + at, x_stride); });
    }
  }
  if (single && at < depth) {
    // What is left of a row of plain numbers, with zeros behind it.
    const std::size_t left = depth - at;
    float x_rest[rows * 32] = {};
    for (std::size_t r = 0; r < rows; ++r)
      __builtin_memcpy(x_rest + 32 * r, x + r * x_stride + at, left * sizeof(float));
    std::byte rest[2 * Block::bytes] = {};
    __builtin_memcpy(rest, block, left * (Block::bytes / Block::numbers));
    for (std::size_t i = 0; i < 2; ++i) {
      Block::run(rest + i * Block::bytes,
                 [&](std::size_t, const float16s& values) { sums.add(i, values, x_rest, 32); });
    }
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < rows; ++r)
    out[r * out_stride] = sum_of(sums.of[r][0] + sums.of[r][1]);
}

// Types without a decoder: expanded beside, a block at a time.
template <std::size_t rows>
ACT_INLINE void multiply_elsewhere(const stored_row& from, std::size_t depth, const float* x,
                                   std::size_t x_stride, float* out, std::size_t out_stride) noexcept {
  few_sums<rows> sums;
  alignas(64) float numbers[256];
  for (std::size_t at = 0; at < depth; at += 256) {
    const std::size_t some = depth - at < 256 ? depth - at : 256;  // a multiple of 32
    decode_elsewhere(from, at, some, numbers);
    for (std::size_t i = 0; i < some / 16; ++i)
      sums.add(i, load<float16s>(numbers + 16 * i), x + at, x_stride);
  }
  for (std::size_t r = 0; r < rows; ++r)
    out[r * out_stride] = sum_of(sums.of[r][0] + sums.of[r][1]);
}

template <std::size_t rows>
ACT_INLINE void multiply_some(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                              std::size_t x_stride, float* out, std::size_t out_stride) noexcept {
  for (std::size_t first = 0, end = 0; first < count; first = end) {
    const tensor_type type = weights[first].type;
    while (end < count && weights[end].type == type)
      ++end;
    with_decoder(
        type,
        [&](auto decoder) {
          using block = decltype(decoder);
          for (std::size_t n = first; n < end; ++n)
            multiply_blocks<block, rows>(weights[n], depth, x, x_stride, out + n, out_stride);
        },
        [&] {
          for (std::size_t n = first; n < end; ++n)
            multiply_elsewhere<rows>(weights[n], depth, x, x_stride, out + n, out_stride);
        });
  }
}

inline void multiply_few(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                         std::size_t x_stride, std::size_t rows, float* out,
                         std::size_t out_stride) noexcept {
  for (; rows >= few_rows; rows -= few_rows, x += few_rows * x_stride, out += few_rows * out_stride)
    multiply_some<few_rows>(weights, count, depth, x, x_stride, out, out_stride);
  if (rows == 1) return multiply_some<1>(weights, count, depth, x, x_stride, out, out_stride);
  if (rows == 2) return multiply_some<2>(weights, count, depth, x, x_stride, out, out_stride);
  if (rows == 3) return multiply_some<3>(weights, count, depth, x, x_stride, out, out_stride);
}

}  // namespace
}  // namespace act::runtime
