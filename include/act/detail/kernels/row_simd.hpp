// row_scalar.hpp's operations with xsimd, where the accumulator type has batches on Arch; row_kernel picks.
// For the core's own loops. Nothing here allocates, throws or checks; loads are unaligned (rows of any
// stride).
//
// Precision. Sums run in the accumulator type (float for float and half types) only across short trees, and
// in double from there on. All terms are weights >= 0, so n roundings on the way cost at most n * 2^-24 of
// the sum, however long the row or column; a plain float sum drifts by a part in 10^4 on long maps with equal
// entries.
//   column sums: a tree of eight rows, 3 roundings, 1.8e-7 of the sum
//   row sums: 32 batches in four trees of eight, 6 roundings, and the lanes of one batch, at most 4: 6e-7 of
//   the sum
// Rows need less: their error reaches the calibrated row's mass damped by (1 - beta) S / R
// (redistribution.hpp). Converting every element to double first would double the arithmetic of loops that
// otherwise keep up with the second-level cache.
//
// Prefetch. Eight rows are eight streams with a row's length between them, too short and too many for the
// processor's own prefetcher: asking for the same columns of the next eight rows makes column sums of 512 x
// 512 maps 2.8 times faster where they come from the third-level cache.
//
// Tails. The last batch of a row overlaps the one before it, with the lanes that were counted already masked
// out (sums) or written twice with the same values (scaling): no scalar loop except in rows shorter than a
// batch.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/batch_access.hpp>
#include <act/detail/kernels/row_scalar.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/tree_sum.hpp>
#include <act/element.hpp>
#include <act/simd.hpp>

#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

#if defined(ACT_DETAIL_HAS_XSIMD)

template <class T, class Arch>
struct row_simd {
  using access = batch_access<T, Arch>;
  using accumulator = accumulator_t<T>;
  using batch = typename access::batch;
  static constexpr std::size_t lanes = access::lanes;
  static constexpr std::size_t depth = 8;  // values added in the accumulator type before they go on in double

  [[nodiscard]] static batch load(const T* at) noexcept { return access::load(at); }

  /// Zero in the lanes before `from`.
  [[nodiscard]] static batch from_lane(const batch& values, std::size_t from) noexcept {
    return xsimd::select(simd::lane_numbers<accumulator, Arch>() >= batch(static_cast<accumulator>(from)),
                         values, batch(accumulator(0)));
  }

  /// Sum of `depth` batches that are `stride` elements apart.
  [[nodiscard]] static batch tree(const T* at, std::size_t stride) noexcept {
    return tree_sum<depth>([&](auto k) { return load(at + k * stride); });
  }

  [[nodiscard]] static double sum(const T* row, std::size_t count) noexcept {
    if (count < lanes) return row_scalar<T>::sum(row, count);
    double total = 0;
    std::size_t j = 0;
    for (; j + 4 * depth * lanes <= count; j += 4 * depth * lanes) {
      const T* const at = row + j;
      const batch low = tree(at, lanes) + tree(at + depth * lanes, lanes);
      const batch high = tree(at + 2 * depth * lanes, lanes) + tree(at + 3 * depth * lanes, lanes);
      total += static_cast<double>(simd::sum_lanes(low + high));
    }
    batch first(accumulator(0)), second(accumulator(0));  // up to 31 batches are left
    for (; j + depth * lanes <= count; j += depth * lanes)
      first = first + tree(row + j, lanes);
    if (j + 4 * lanes <= count) {
      const T* const at = row + j;
      second = (load(at) + load(at + lanes)) + (load(at + 2 * lanes) + load(at + 3 * lanes));
      j += 4 * lanes;
    }
    if (j + 2 * lanes <= count) {
      second = second + (load(row + j) + load(row + j + lanes));
      j += 2 * lanes;
    }
    batch third(accumulator(0));
    if (j + lanes <= count) {
      third = load(row + j);
      j += lanes;
    }
    if (j < count) third = third + from_lane(load(row + count - lanes), lanes - (count - j));
    return total + static_cast<double>(simd::sum_lanes(first + (second + third)));
  }

  static void scale(T* row, std::size_t count, accumulator factor) noexcept {
    if (count < lanes) return row_scalar<T>::scale(row, count, factor);
    const batch factors(factor);
    const batch last = load(row + count - lanes) * factors;  // before the loop below scales a part of it
    std::size_t j = 0;
    for (; j + lanes <= count; j += lanes)
      access::store(load(row + j) * factors, row + j);
    if (j < count) access::store(last, row + count - lanes);
  }

  static void add_columns(const T* first, std::size_t stride, std::size_t rows, std::size_t columns,
                          double* sums) noexcept {
    std::size_t i = 0;
    for (; i + depth <= rows; i += depth)
      add_eight(first + i * stride, stride, columns, sums);
    if (i < rows) row_scalar<T>::add_columns(first + i * stride, stride, rows - i, columns, sums);
  }

 private:
  static void add_eight(const T* first, std::size_t stride, std::size_t columns, double* sums) noexcept {
    if (columns < lanes) return row_scalar<T>::add_columns(first, stride, depth, columns, sums);
    std::size_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
      for (std::size_t r = 0; r < depth; ++r)
        simd::prefetch(first + j, (depth + r) * stride);
      simd::add_widened(tree(first + j, stride), sums + j);
    }
    if (j < columns) {
      const std::size_t at = columns - lanes;
      simd::add_widened(from_lane(tree(first + at, stride), j - at), sums + at);
    }
  }
};

template <class T, class Arch, bool Vectorised>
struct row_kernel_choice {
  using type = row_scalar<T>;
};
template <class T, class Arch>
struct row_kernel_choice<T, Arch, true> {
  using type = row_simd<T, Arch>;
};

/// The kernel for rows of T on Arch.
template <class T, class Arch>
using row_kernel = typename row_kernel_choice<T, Arch, simd::vectorised<accumulator_t<T>, Arch>>::type;

#else

template <class T, class Arch>
using row_kernel = row_scalar<T>;

#endif

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
