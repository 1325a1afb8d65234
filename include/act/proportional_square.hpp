// Proportional redistribution in as many short rows of a causal map at once as a batch has lanes, for
// calibrate(): sums, sinks' masses and factors of a whole square first, then one write of each row. At 128
// keys a row is four batches long and its own bookkeeping outweighs them.
#pragma once

#include <act/attention_view.hpp>
#include <act/element.hpp>
#include <act/kernels/row_square.hpp>
#include <act/kernels/simd.hpp>
#include <act/redistribution.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::detail {

#if defined(ACT_DETAIL_HAS_XSIMD)

template <class T, class Arch>
struct proportional_square {
  using A = accumulator_t<T>;
  using element = element_traits<T>;
  static constexpr std::size_t rows = row_square<T, Arch>::rows;

  /// Whether the rows from i on are a square's: complete, aligned, short, and seeing every key before them.
  [[nodiscard]] static bool fits(const attention_span<T>& map, std::size_t batch, std::size_t i) noexcept {
    const std::size_t position = map.visible.query_offset + i;
    return position % rows == 0 && position <= row_square<T, Arch>::most_common && rows <= map.queries - i &&
           map.visible.row(batch, i + rows - 1).begin == 0;
  }

  /// Rows at positions [position, position + rows), `stride` elements apart, calibrated; `sinks` ascend and
  /// are those of the last row. Returns the mass moved.
  static double redistribute(T* first, std::size_t stride, std::size_t position,
                             std::span<const std::size_t> sinks, double beta) noexcept {
    A sums[rows];
    row_square<T, Arch>::sums(first, stride, position, sums);
    double on_sinks[rows] = {}, freed[rows];
    for (const std::size_t s : sinks) {
      for (std::size_t r = s > position ? s - position : 0; r < rows; ++r)
        on_sinks[r] += static_cast<double>(element::load(first[r * stride + s]));
    }
    A factors[rows];
    bool plain[rows];
    for (std::size_t r = 0; r < rows; ++r) {
      const double elsewhere = static_cast<double>(sums[r]) - on_sinks[r];
      freed[r] = (1 - beta) * on_sinks[r];
      factors[r] = static_cast<A>(1 + freed[r] / elsewhere);
      // Sinks hold something, at most half, and all is finite: a NaN makes both comparisons false.
      plain[r] = (on_sinks[r] > 0) & (on_sinks[r] <= elsewhere) & (elsewhere <= most);
    }
    double moved = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      T* const row = first + r * stride;
      const std::size_t seen = position + r + 1;
      std::size_t count = sinks.size();
      while (count > 0 && sinks[count - 1] >= seen)
        --count;
      if (plain[r]) {
        moved += freed[r];
        scale_row<T, Arch>(row, {0, seen}, sinks.first(count), static_cast<A>(beta), factors[r]);
      } else {
        moved += redistribute_proportionally<T, Arch>(row, {0, seen}, sinks.first(count), beta);
      }
    }
    return moved;
  }

 private:
  static constexpr double most = std::numeric_limits<double>::max();
};

#endif

}  // namespace act::inline ACT_ABI::detail
