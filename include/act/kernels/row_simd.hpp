// row_scalar.hpp's operations with xsimd, where the accumulator type has batches on Arch; row_kernel picks.
// For the core's own loops. Nothing here allocates, throws or checks; loads are unaligned (rows of any
// stride).
//
// Precision. Sums run in the accumulator type, float for half types, only across a tree of eight values and
// in double from there on. All terms are weights >= 0, so a tree of depth 3 is within 3 * 2^-24 < 1.8e-7 of
// the exact sum, however long the row or column: long maps with equal entries, where a plain float sum drifts
// by a part in 10^4, stay exact to that bound. Converting every element to double first would double the
// arithmetic of a loop that otherwise keeps up with the second-level cache.
#pragma once

#include <act/element.hpp>
#include <act/kernels/batch_access.hpp>
#include <act/kernels/row_scalar.hpp>
#include <act/kernels/simd.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::detail {

#if defined(ACT_DETAIL_HAS_XSIMD)

template <class T, class Arch>
struct row_simd {
  using access = batch_access<T, Arch>;
  using accumulator = accumulator_t<T>;
  using batch = typename access::batch;
  static constexpr std::size_t lanes = access::lanes;
  static constexpr std::size_t depth = 8;  // values added in the accumulator type before they go on in double

  [[nodiscard]] static batch load(const T* at) noexcept { return access::load(at); }

  /// Adds the `lanes` values of `values` to totals[0 .. lanes). The compiler turns this into widening
  /// conversions, which xsimd 8 doesn't have.
  static void widen_add(const batch& values, double* totals) noexcept {
    alignas(64) accumulator narrow[lanes];
    values.store_aligned(narrow);
    for (std::size_t k = 0; k < lanes; ++k)
      totals[k] += static_cast<double>(narrow[k]);
  }

  [[nodiscard]] static double sum(const T* row, std::size_t count) noexcept {
    alignas(64) double totals[lanes] = {};
    std::size_t j = 0;
    for (; j + depth * lanes <= count; j += depth * lanes) {
      const T* const at = row + j;
      const batch low = (load(at) + load(at + lanes)) + (load(at + 2 * lanes) + load(at + 3 * lanes));
      const batch high =
          (load(at + 4 * lanes) + load(at + 5 * lanes)) + (load(at + 6 * lanes) + load(at + 7 * lanes));
      widen_add(low + high, totals);
    }
    batch rest(accumulator(0));  // up to seven batches are left; still no more than three roundings deep
    if (j + 4 * lanes <= count) {
      const T* const at = row + j;
      rest = (load(at) + load(at + lanes)) + (load(at + 2 * lanes) + load(at + 3 * lanes));
      j += 4 * lanes;
    }
    if (j + 2 * lanes <= count) {
      rest = rest + (load(row + j) + load(row + j + lanes));
      j += 2 * lanes;
    }
    widen_add(rest, totals);
    if (j + lanes <= count) {
      widen_add(load(row + j), totals);
      j += lanes;
    }
    double total = 0;
    for (std::size_t k = 0; k < lanes; ++k)
      total += totals[k];
    return total + row_scalar<T>::sum(row + j, count - j);
  }

  static void scale(T* row, std::size_t count, accumulator factor) noexcept {
    const batch factors(factor);
    std::size_t j = 0;
    for (; j + lanes <= count; j += lanes)
      access::store(load(row + j) * factors, row + j);
    row_scalar<T>::scale(row + j, count - j, factor);
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
    std::size_t j = 0;
    for (; j + lanes <= columns; j += lanes) {
      const T* const at = first + j;
      const batch low = (load(at) + load(at + stride)) + (load(at + 2 * stride) + load(at + 3 * stride));
      const batch high =
          (load(at + 4 * stride) + load(at + 5 * stride)) + (load(at + 6 * stride) + load(at + 7 * stride));
      widen_add(low + high, sums + j);
    }
    row_scalar<T>::add_columns(first + j, stride, depth, columns - j, sums + j);
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

}  // namespace act::inline ACT_ABI::detail
