// The kernels with a look at their memory before each call (look_at_memory.hpp): extents as
// kernel_table.hpp states them.
#pragma once

#ifdef ACT_LOOK_AT_TENSORS
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/kernel_table.hpp>
#include <act/runtime/products/kernels/few_rows.hpp>
#include <act/runtime/products/kernels/few_rows_int8.hpp>
#include <act/runtime/products/kernels/panels.hpp>
#include <act/runtime/products/kernels/tiles.hpp>
#include <act/runtime/products/look_at_memory.hpp>

#include <cstddef>
#include <cstdint>

namespace act::runtime {
namespace {
namespace looked_at {

constexpr std::size_t words_of_bf16(std::size_t depth) noexcept {
  return (depth + 1) / 2;
}
constexpr std::size_t int8_blocks(std::size_t depth) noexcept {
  return (depth + 31) / 32;
}

template <class T>
void look(const T* from, std::size_t count) noexcept {
  look_at_memory(from, count * sizeof(T));
}
template <class T>
void look_at_rows(const T* from, std::size_t stride, std::size_t rows, std::size_t count) noexcept {
  for (std::size_t row = 0; row < rows; ++row)
    look(from + row * stride, count);
}
inline void look_at_stored(const stored_row* rows, std::size_t count, std::size_t first,
                           std::size_t depth) noexcept {
  look(rows, count);
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t numbers = block_elements(rows[row].type), bytes = block_bytes(rows[row].type);
    look(rows[row].bytes + first / numbers * bytes, (depth + numbers - 1) / numbers * bytes);
  }
}

inline void expand_f32(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                       std::uint32_t* panel) noexcept {
  look_at_stored(rows, count, first, depth);
  look(panel, panel_features * depth);
  runtime::expand_f32(rows, count, first, depth, panel);
}
inline void expand_bf16(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                        std::uint32_t* panel) noexcept {
  look_at_stored(rows, count, first, depth);
  look(panel, panel_features * words_of_bf16(depth));
  runtime::expand_bf16(rows, count, first, depth, panel);
}
inline void expand_int8(const stored_row* rows, std::size_t count, std::size_t first, std::size_t depth,
                        std::uint32_t* panel, float* scales, float* minima) noexcept {
  look_at_stored(rows, count, first, depth);
  look(panel, panel_features * 8 * int8_blocks(depth));
  look(scales, panel_features * int8_blocks(depth));
  look(minima, panel_features * int8_blocks(depth));
  runtime::expand_int8(rows, count, first, depth, panel, scales, minima);
}

template <class Word>
void multiply_panel(const std::uint32_t* x, std::size_t x_stride, std::size_t rows,
                    const std::uint32_t* panel, std::size_t depth, float* out, std::size_t out_stride,
                    std::size_t columns, bool continued) noexcept {
  const std::size_t words_a_row = (depth + Word::numbers - 1) / Word::numbers;
  look_at_rows(x, x_stride, rows, words_a_row);
  look(panel, panel_features * words_a_row);
  look_at_rows(out, out_stride, rows, columns);
  runtime::multiply_panel<Word>(x, x_stride, rows, panel, depth, out, out_stride, columns, continued);
}
inline void multiply_int8_panel(const std::uint32_t* x, std::size_t x_stride, const float* x_scales,
                                const float* x_sums, std::size_t block_stride, std::size_t rows,
                                const std::uint32_t* panel, const float* scales, const float* minima,
                                std::size_t depth, float* out, std::size_t out_stride, std::size_t columns,
                                bool continued) noexcept {
  const std::size_t blocks = int8_blocks(depth);
  look_at_rows(x, x_stride, rows, 8 * blocks);
  look_at_rows(x_scales, block_stride, rows, blocks);
  look_at_rows(x_sums, block_stride, rows, blocks);
  look(panel, panel_features * 8 * blocks);
  look(scales, panel_features * blocks);
  look(minima, panel_features * blocks);
  look_at_rows(out, out_stride, rows, columns);
  runtime::multiply_int8_panel(x, x_stride, x_scales, x_sums, block_stride, rows, panel, scales, minima,
                               depth, out, out_stride, columns, continued);
}

inline void convert_bf16(const float* x, std::size_t depth, std::uint32_t* to) noexcept {
  look(x, depth);
  look(to, words_of_bf16(depth));
  runtime::convert_bf16(x, depth, to);
}
inline void convert_int8(const float* x, std::size_t depth, std::uint32_t* to, float* scales,
                         float* sums) noexcept {
  look(x, depth);
  look(to, 8 * int8_blocks(depth));
  look(scales, int8_blocks(depth));
  look(sums, int8_blocks(depth));
  runtime::convert_int8(x, depth, to, scales, sums);
}

inline void multiply_few(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                         std::size_t x_stride, std::size_t rows, float* out,
                         std::size_t out_stride) noexcept {
  look_at_stored(weights, count, 0, depth);
  look_at_rows(x, x_stride, rows, depth);
  look_at_rows(out, out_stride, rows, count);
  runtime::multiply_few(weights, count, depth, x, x_stride, rows, out, out_stride);
}
inline void multiply_few_int8(const stored_row* weights, std::size_t count, std::size_t depth, const float* x,
                              std::size_t x_stride, const activation_words& in_bytes, std::size_t rows,
                              float* out, std::size_t out_stride) noexcept {
  look_at_stored(weights, count, 0, depth);
  look_at_rows(x, x_stride, rows, depth);
  look_at_rows(in_bytes.words, in_bytes.stride, rows, 8 * int8_blocks(depth));
  look_at_rows(in_bytes.scales, in_bytes.block_stride, rows, int8_blocks(depth));
  look_at_rows(in_bytes.sums, in_bytes.block_stride, rows, int8_blocks(depth));
  look_at_rows(out, out_stride, rows, count);
  runtime::multiply_few_int8(weights, count, depth, x, x_stride, in_bytes, rows, out, out_stride);
}

}  // namespace looked_at
}  // namespace
}  // namespace act::runtime
#endif
