// What calibration does to rows, in plain C++: the oracle of row_simd.hpp and the kernel where there is no
// SIMD. For the core's own loops. Nothing here allocates, throws or checks.
#pragma once

#include <act/detail/build.hpp>
#include <act/element.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

template <attention_element T>
struct row_scalar {
  using element = element_traits<T>;
  using accumulator = typename element::accumulator;

  /// Sum of `count` elements, accumulated in double.
  [[nodiscard]] static double sum(const T* row, std::size_t count) noexcept {
    double total = 0;
    for (std::size_t j = 0; j < count; ++j)
      total += static_cast<double>(element::load(row[j]));
    return total;
  }

  /// row[j] *= factor: one multiplication and one rounding in the accumulator type.
  static void scale(T* row, std::size_t count, accumulator factor) noexcept {
    for (std::size_t j = 0; j < count; ++j)
      row[j] = element::store(element::load(row[j]) * factor);
  }

  /// sums[j] += the sum of column j over `rows` rows that are `stride` elements apart.
  static void add_columns(const T* first, std::size_t stride, std::size_t rows, std::size_t columns,
                          double* sums) noexcept {
    for (std::size_t i = 0; i < rows; ++i) {
      const T* const row = first + i * stride;
      for (std::size_t j = 0; j < columns; ++j)
        sums[j] += static_cast<double>(element::load(row[j]));
    }
  }
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
