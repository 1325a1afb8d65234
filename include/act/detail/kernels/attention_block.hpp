// The arithmetic of fused attention: a block of query rows against all keys, softmax, and the product with
// the values. For calibrated_attention.hpp. Nothing here allocates, throws or checks.
//
// Shapes. Keys are packed once a head, transposed, into panels of two batches of keys: [panel][channel][2 *
// lanes]; values into panels of two batches of channels: [panel][key][2 * lanes]. A tile of `tile_rows` rows
// and one panel lives in registers: for each channel (each key) two loads, one broadcast a row, and two
// multiply-adds a row, so that multiply-adds bound it; where a panel ends in its first batch, half a tile
// does. Every score is one chain of multiply-adds over the channels, in order, whatever tile it was made in:
// made again it is the same to the bit. Scores of a block are `block_rows` x keys in the accumulator type:
// 128 KiB at 2,048 keys, well inside a second-level cache, which is why rows can be normalised, and added to
// the column sums, in place.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/lane_operations.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class A, class Arch>
struct attention_block {
  using op = lane_operations<A, Arch>;
  using batch = typename op::batch;
  static constexpr std::size_t width = 2 * op::lanes;  // of a panel
  static constexpr std::size_t tile_rows = op::lanes >= 8 && sizeof(batch) == 64 ? 8 : 4;
  static constexpr std::size_t block_rows = 16;
  static_assert(block_rows % op::lanes == 0);

  template <class T>
  [[nodiscard]] static A load(const T& stored) noexcept {
    return element_traits<T>::load(stored);
  }

  [[nodiscard]] static constexpr std::size_t round_up(std::size_t count) noexcept {
    return (count + width - 1) / width * width;
  }

  /// The same, to whole batches.
  [[nodiscard]] static constexpr std::size_t round_to_lanes(std::size_t count) noexcept {
    return (count + op::lanes - 1) / op::lanes * op::lanes;
  }

  /// The rows row_of(0) .. row_of(keys - 1), `channels` elements each, to packed[round_up(keys) * channels];
  /// keys missing to whole batches become 0. A square of a batch of keys and as many channels is transposed
  /// in registers: element by element this took a tenth of attention at 128 keys.
  template <class T, class RowOf>
  static void pack_keys(RowOf&& row_of, std::size_t keys, std::size_t channels, A* packed) noexcept {
    for (std::size_t j = 0; j < keys; j += op::lanes) {
      const std::size_t here = std::min(op::lanes, keys - j);
      A* const to = packed + j / width * width * channels + j % width;
      std::size_t c = 0;
      for (; here == op::lanes && c + op::lanes <= channels; c += op::lanes) {
        batch square[op::lanes];
        for (std::size_t k = 0; k < op::lanes; ++k)
          square[k] = element_lanes<T, Arch>::load(row_of(j + k) + c);
        op::transpose(square);
        for (std::size_t k = 0; k < op::lanes; ++k)
          op::store(square[k], to + (c + k) * width);
      }
      for (std::size_t k = 0; k < here; ++k) {
        const T* const row = row_of(j + k);
        for (std::size_t rest = c; rest < channels; ++rest)
          to[rest * width + k] = load(row[rest]);
      }
      for (std::size_t rest = c; here < op::lanes && rest < channels; ++rest)
        std::fill(to + rest * width + here, to + rest * width + op::lanes, A(0));
    }
  }

  /// The same rows to packed[keys * round_up(channels)]; missing channels become 0. Returns whether all of
  /// them are finite, which costs nothing beside the stores.
  template <class T, class RowOf>
  static bool pack_values(RowOf&& row_of, std::size_t keys, std::size_t channels, A* packed) noexcept {
    const typename op::batch zero(A(0));
    typename op::batch low = zero, high = zero;  // NaN after the first value that isn't finite
    A rest = 0;
    for (std::size_t c = 0; c < channels; c += width) {
      const std::size_t here = std::min(width, channels - c);
      for (std::size_t j = 0; j < keys; ++j) {
        const T* const row = row_of(j) + c;
        if (here == width) {
          const typename op::batch first = element_lanes<T, Arch>::load(row);
          const typename op::batch second = element_lanes<T, Arch>::load(row + op::lanes);
          op::store(first, packed);
          op::store(second, packed + op::lanes);
          low = op::fma(first, zero, low);
          high = op::fma(second, zero, high);
          packed += width;
          continue;
        }
        for (std::size_t k = 0; k < here; ++k) {
          packed[k] = load(row[k]);
          rest += packed[k] * 0;
        }
        std::fill(packed + here, packed + width, A(0));
        packed += width;
      }
    }
    return op::sum(low) + op::sum(high) + rest == 0;
  }

  /// out[r * out_stride .. + columns, rounded to batches) = sum over k of left[r * left_stride + k] *
  /// panel[k * width ..], for `rows` rows and up to `width` columns. Memory of `left` and `out` must reach
  /// the next multiple of tile_rows, unless there is one row only.
  static void multiply(const A* left, std::size_t left_stride, std::size_t rows, const A* panel,
                       std::size_t count, std::size_t columns, A* out, std::size_t out_stride) noexcept {
    if (columns <= op::lanes) {
      multiply_batches<1, false>(left, left_stride, rows, panel, count, out, out_stride, false);
    } else {
      multiply_batches<2, false>(left, left_stride, rows, panel, count, out, out_stride, false);
    }
  }

  /// The same from the transposed left side, left[k * left_stride + r], and of whole panels; `adds`: added to
  /// what is there.
  static void multiply_turned(const A* left, std::size_t left_stride, std::size_t rows, const A* panel,
                              std::size_t count, A* out, std::size_t out_stride, bool adds) noexcept {
    multiply_batches<2, true>(left, left_stride, rows, panel, count, out, out_stride, adds);
  }

  /// Scores of `rows` rows of queries, `channels` apart, with keys [first, last) of `packed` keys: to
  /// scores[r * stride + j - first]. `first` is a multiple of width, `last` of lanes.
  static void score(const A* queries, std::size_t channels, std::size_t rows, const A* packed,
                    std::size_t first, std::size_t last, A* scores, std::size_t stride) noexcept {
    for (std::size_t j = first; j < last; j += width) {
      multiply(queries, channels, rows, packed + j * channels, channels, last - j, scores + (j - first),
               stride);
    }
  }

  struct softmax {
    A largest = 0;
    A sum = 0;  // of exp(score - largest)
  };

  /// row[0, count) becomes exp(row - largest), `count` a multiple of `lanes`; -inf becomes exactly 0. Calls
  /// also(from, to) before elements [from, to), a few panels, take their turn: memory is idle meanwhile.
  template <class Also>
  static softmax exponentiate(A* row, std::size_t count, Also&& also) noexcept {
    const bool odd = count % width != 0;
    const std::size_t pairs = count - (odd ? op::lanes : 0);
    batch most_low = op::load(row + (odd ? pairs : 0)), most_high = most_low;
    for (std::size_t j = 0; j < pairs; j += width) {
      most_low = op::max(most_low, op::load(row + j));
      most_high = op::max(most_high, op::load(row + j + op::lanes));
    }
    A largest = op::largest(op::max(most_low, most_high));
    if (largest == -std::numeric_limits<A>::infinity()) largest = 0;  // nothing to see: all become 0
    const batch shift(largest);
    double sum = 0;
    for (std::size_t j = 0; j < pairs;) {  // in the accumulator type across 16 panels only, then in double
      batch low(A(0)), high(A(0));
      const std::size_t end = std::min(pairs, j + 16 * width);
      while (j < end) {
        const std::size_t pause = std::min(end, j + 4 * width);
        also(j, pause);
        for (; j < pause; j += width) {
          const batch first = op::exp(op::load(row + j) - shift),
                      second = op::exp(op::load(row + j + op::lanes) - shift);
          op::store(first, row + j);
          op::store(second, row + j + op::lanes);
          low = low + first;
          high = high + second;
        }
      }
      sum += static_cast<double>(op::sum(low + high));
    }
    if (odd) {
      const batch last = op::exp(op::load(row + pairs) - shift);
      op::store(last, row + pairs);
      sum += static_cast<double>(op::sum(last));
    }
    return {largest, static_cast<A>(sum)};
  }

  static softmax exponentiate(A* row, std::size_t count) noexcept {
    return exponentiate(row, count, [](std::size_t, std::size_t) {});
  }

  /// row[0, count) becomes exp(row - shift), `count` a multiple of `lanes`.
  static void exponentiate(A* row, std::size_t count, A shift) noexcept {
    const batch by(shift);
    for (std::size_t j = 0; j < count; j += op::lanes)
      op::store(op::exp(op::load(row + j) - by), row + j);
  }

  /// sums[j] += sum over rows of weights[r * stride + j] * factors[r], as accurate as row_simd.hpp's column
  /// sums: `block_rows` products of the accumulator type, six roundings deep, go on in double. Normalising
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

 private:
  template <std::size_t Batches, bool Turned>
  static void multiply_batches(const A* left, std::size_t left_stride, std::size_t rows, const A* panel,
                               std::size_t count, A* out, std::size_t out_stride, bool adds) noexcept {
    const auto tile = [&]<std::size_t Rows>(std::integral_constant<std::size_t, Rows>, std::size_t r) {
      multiply_tile<Rows, Batches, Turned>(left + (Turned ? r : r * left_stride), left_stride, panel, count,
                                           out + r * out_stride, out_stride, adds);
    };
    using whole = std::integral_constant<std::size_t, tile_rows>;
    using half = std::integral_constant<std::size_t, tile_rows / 2>;
    if (rows == 1) return tile(std::integral_constant<std::size_t, 1>{}, 0);
    std::size_t r = 0;
    for (; r + tile_rows / 2 < rows; r += tile_rows)
      tile(whole{}, r);
    if (r < rows) tile(half{}, r);
  }

  // `Rows` rows and `Batches` batches of a panel, all in registers.
  template <std::size_t Rows, std::size_t Batches, bool Turned>
  static void multiply_tile(const A* left, std::size_t left_stride, const A* panel, std::size_t count, A* out,
                            std::size_t out_stride, bool adds) noexcept {
    batch sums[Rows][Batches];
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t b = 0; b < Batches; ++b)
        sums[r][b] = Turned && adds ? op::load(out + r * out_stride + b * op::lanes) : batch(A(0));
    }
    for (std::size_t k = 0; k < count; ++k) {
      batch right[Batches];
      for (std::size_t b = 0; b < Batches; ++b)
        right[b] = op::load(panel + k * width + b * op::lanes);
      for (std::size_t r = 0; r < Rows; ++r) {
        const batch each(Turned ? left[k * left_stride + r] : left[r * left_stride + k]);
        for (std::size_t b = 0; b < Batches; ++b)
          sums[r][b] = op::fma(each, right[b], sums[r][b]);
      }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t b = 0; b < Batches; ++b)
        op::store(sums[r][b], out + r * out_stride + b * op::lanes);
    }
  }
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
