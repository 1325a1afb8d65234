// Sums of as many rows of a causal map at once as a batch has lanes. For calibrate(), where rows are short: a
// row of four batches is summed in as many cycles as its sum takes to cross the lanes, so that is done for a
// whole square of rows together. Nothing here allocates, throws or checks.
#pragma once

#include <act/element.hpp>
#include <act/kernels/row_simd.hpp>
#include <act/kernels/simd.hpp>
#include <act/version.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::detail {

#if defined(ACT_DETAIL_HAS_XSIMD)

/// Precision: rows of up to `most_common + lanes` elements, pairs added one after another in the accumulator
/// type, at most 14 roundings, 8.4e-7 of the sum (row_simd.hpp says what a row's sum needs).
template <class T, class Arch>
struct row_square {
  using kernel = row_simd<T, Arch>;
  using batch = typename kernel::batch;
  static constexpr std::size_t rows = kernel::lanes;
  static constexpr std::size_t most_common = 16 * rows;  // elements that all rows of a square have

  /// sums[r] = the sum of the first `common` + r + 1 elements of row r, for `rows` rows that are `stride`
  /// elements apart. `common` is a multiple of `rows`; `common` + `rows` elements of each row are read, those
  /// past its own end dropped.
  static void sums(const T* first, std::size_t stride, std::size_t common,
                   typename kernel::accumulator* sums) noexcept {
    batch totals[rows];
    for (std::size_t r = 0; r < rows; ++r)
      totals[r] = kernel::up_to_lane(kernel::load(first + r * stride + common), r + 1);
    std::size_t j = 0;
    for (; j + 2 * rows <= common; j += 2 * rows) {
      for (std::size_t r = 0; r < rows; ++r) {
        const T* const at = first + r * stride + j;
        totals[r] = totals[r] + (kernel::load(at) + kernel::load(at + rows));
      }
    }
    if (j < common) {
      for (std::size_t r = 0; r < rows; ++r)
        totals[r] = totals[r] + kernel::load(first + r * stride + j);
    }
    simd::sum_lanes_of_each(totals, sums);
  }
};

#endif

}  // namespace act::inline ACT_ABI::detail
