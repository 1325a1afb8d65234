// The arithmetic of fused attention: a block of query rows against all keys, softmax, and the product with
// the values. For calibrated_attention.hpp. Nothing here allocates, throws or checks.
//
// Shapes. Keys are packed once a head, transposed, into panels of two batches of keys: [panel][channel][2 *
// lanes]; values into panels of two batches of channels: [panel][key][2 * lanes]. A tile of `tile_rows` rows
// and one panel lives in registers: for each channel (each key) two loads, one broadcast a row, and two
// multiply-adds a row, so that multiply-adds bound it. Scores of a block are `block_rows` x keys in the
// accumulator type: 128 KiB at 2,048 keys, well inside a second-level cache, which is why rows can be
// normalised, and added to the column sums, in place.
#pragma once

#include <act/element.hpp>
#include <act/kernels/lane_operations.hpp>
#include <act/kernels/row_simd.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace act::inline ACT_ABI::detail {

template <class A, class Arch>
struct attention_block {
  using op = lane_operations<A, Arch>;
  using batch = typename op::batch;
  static constexpr std::size_t width = 2 * op::lanes;  // of a panel
  static constexpr std::size_t tile_rows = op::lanes >= 8 && sizeof(batch) == 64 ? 8 : 4;
  static constexpr std::size_t block_rows = 16;

  template <class T>
  [[nodiscard]] static A load(const T& stored) noexcept {
    return element_traits<T>::load(stored);
  }

  [[nodiscard]] static constexpr std::size_t round_up(std::size_t count) noexcept {
    return (count + width - 1) / width * width;
  }

  /// The rows row_of(0) .. row_of(keys - 1), `channels` elements each, to packed[round_up(keys) * channels];
  /// missing keys become 0.
  template <class RowOf>
  static void pack_keys(RowOf&& row_of, std::size_t keys, std::size_t channels, A* packed) noexcept {
    for (std::size_t j = 0; j < keys; j += width) {
      const std::size_t here = std::min(width, keys - j);
      for (std::size_t k = 0; k < here; ++k) {
        const auto* const row = row_of(j + k);
        for (std::size_t c = 0; c < channels; ++c)
          packed[c * width + k] = load(row[c]);
      }
      for (std::size_t c = 0; c < channels; ++c)
        std::fill(packed + c * width + here, packed + (c + 1) * width, A(0));
      packed += channels * width;
    }
  }

  /// The same rows to packed[keys * round_up(channels)]; missing channels become 0.
  template <class RowOf>
  static void pack_values(RowOf&& row_of, std::size_t keys, std::size_t channels, A* packed) noexcept {
    for (std::size_t c = 0; c < channels; c += width) {
      const std::size_t here = std::min(width, channels - c);
      for (std::size_t j = 0; j < keys; ++j) {
        const auto* const row = row_of(j) + c;
        for (std::size_t k = 0; k < here; ++k)
          packed[k] = load(row[k]);
        std::fill(packed + here, packed + width, A(0));
        packed += width;
      }
    }
  }

  /// out[r * out_stride .. + width) = sum over k of left[r * left_stride + k] * panel[k * width ..], `Rows`
  /// rows.
  template <std::size_t Rows>
  static void multiply_panel(const A* left, std::size_t left_stride, const A* panel, std::size_t count,
                             A* out, std::size_t out_stride) noexcept {
    batch low[Rows], high[Rows];
    for (std::size_t r = 0; r < Rows; ++r)
      low[r] = high[r] = batch(A(0));
    for (std::size_t k = 0; k < count; ++k) {
      const batch first = op::load(panel + k * width), second = op::load(panel + k * width + op::lanes);
      for (std::size_t r = 0; r < Rows; ++r) {
        const batch each(left[r * left_stride + k]);
        low[r] = op::fma(each, first, low[r]);
        high[r] = op::fma(each, second, high[r]);
      }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
      op::store(low[r], out + r * out_stride);
      op::store(high[r], out + r * out_stride + op::lanes);
    }
  }

  /// The same for any number of rows; memory of `left` and `out` must reach the next multiple of tile_rows,
  /// unless there is one row only.
  static void multiply(const A* left, std::size_t left_stride, std::size_t rows, const A* panel,
                       std::size_t count, A* out, std::size_t out_stride) noexcept {
    if (rows == 1) return multiply_panel<1>(left, left_stride, panel, count, out, out_stride);
    for (std::size_t r = 0; r < rows; r += tile_rows) {
      multiply_panel<tile_rows>(left + r * left_stride, left_stride, panel, count, out + r * out_stride,
                                out_stride);
    }
  }

  struct softmax {
    A largest = 0;
    A sum = 0;  // of exp(score - largest)
  };

  /// row[0, count) becomes exp(row - largest), `count` a multiple of `width`; -inf becomes exactly 0.
  static softmax exponentiate(A* row, std::size_t count) noexcept {
    batch most_low = op::load(row), most_high = op::load(row + op::lanes);
    for (std::size_t j = width; j < count; j += width) {
      most_low = op::max(most_low, op::load(row + j));
      most_high = op::max(most_high, op::load(row + j + op::lanes));
    }
    A largest = op::largest(op::max(most_low, most_high));
    if (largest == -std::numeric_limits<A>::infinity()) largest = 0;  // nothing to see: all become 0
    const batch shift(largest);
    double sum = 0;
    for (std::size_t j = 0; j < count;) {  // in the accumulator type across 16 panels only, then in double
      batch low(A(0)), high(A(0));
      for (const std::size_t end = std::min(count, j + 16 * width); j < end; j += width) {
        const batch first = op::exp(op::load(row + j) - shift),
                    second = op::exp(op::load(row + j + op::lanes) - shift);
        op::store(first, row + j);
        op::store(second, row + j + op::lanes);
        low = low + first;
        high = high + second;
      }
      sum += static_cast<double>(op::sum(low + high));
    }
    return {largest, static_cast<A>(sum)};
  }

  /// row[0, count) becomes exp(row - shift), `count` a multiple of `width`.
  static void exponentiate(A* row, std::size_t count, A shift) noexcept {
    const batch by(shift);
    for (std::size_t j = 0; j < count; j += op::lanes)
      op::store(op::exp(op::load(row + j) - by), row + j);
  }

  /// sums[j] += sum over rows of weights[r * stride + j] * factors[r], as accurate as row_simd.hpp's column
  /// sums: `block_rows` products of the accumulator type, five roundings deep, go on in double. Normalising
  /// the rows on the way to the sums saves a pass over them; the product with the values takes the factor
  /// afterwards.
  static void add_columns(const A* weights, std::size_t stride, std::size_t rows, const A* factors,
                          std::size_t columns, double* sums) noexcept {
    // Rows that aren't there are the last one again, zero times: stale memory could hold another head's NaN.
    const A* at[block_rows];
    batch by[block_rows];
    for (std::size_t r = 0; r < block_rows; ++r) {
      at[r] = weights + std::min(r, rows - 1) * stride;
      by[r] = batch(r < rows ? factors[r] : A(0));
    }
    std::size_t j = 0;
    const auto four = [&](std::size_t r) {
      const batch even = op::fma(op::load(at[r] + j), by[r], op::load(at[r + 1] + j) * by[r + 1]);
      return op::fma(op::load(at[r + 2] + j), by[r + 2], op::fma(op::load(at[r + 3] + j), by[r + 3], even));
    };
    for (; j + op::lanes <= columns; j += op::lanes)
      op::add_widened((four(0) + four(4)) + (four(8) + four(12)), sums + j);
    for (; j < columns; ++j) {
      for (std::size_t r = 0; r < rows; ++r)
        sums[j] += static_cast<double>(at[r][j] * factors[r]);
    }
  }
};

}  // namespace act::inline ACT_ABI::detail
