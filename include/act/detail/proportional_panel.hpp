// Proportional redistribution in a head's rows, for calibrate(): most of them a panel at a time
// (kernels/row_panel.hpp), where they see the same first key and the panel is complete; the others row by row
// (kernels/proportional_row.hpp). What that header says of a row holds for each of a panel's, but that the
// mass elsewhere is always summed directly.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/causal_panels.hpp>
#include <act/detail/kernels/proportional_row.hpp>
#include <act/detail/kernels/row_panel.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

#if defined(ACT_DETAIL_HAS_XSIMD)

template <class T, class Arch>
class proportional_panel {
 public:
  using A = accumulator_t<T>;
  using panel = row_panel<T, Arch>;
  using extent = typename panel::extent;
  static constexpr std::size_t rows = panel::rows;

  /// Calibrates the panel whose row 0 is `first`; `sinks` are those of its last row. Returns the mass moved.
  static double redistribute(T* first, const extent& place, const A* marks,
                             std::span<const std::size_t> sinks, double beta) noexcept {
    double elsewhere[rows], on_sinks[rows];
    panel::sum_sinks(first, place, sinks, on_sinks);
    panel::sum_unmarked(first, place, marks, elsewhere);
    A factors[rows];
    const double moved = find_factors(elsewhere, on_sinks, beta, factors);
    const A at_sinks = static_cast<A>(beta);
    if (xsimd::all(batch::load_unaligned(factors) > batch(A(0)))) {
      panel::scale(first, place, marks, at_sinks, factors);
    } else {
      for (std::size_t r = 0; r < rows; ++r) {
        if (factors[r] > 0) panel::scale_row(first + r * place.stride, r, place, marks, at_sinks, factors[r]);
      }
    }
    return moved;
  }

 private:
  using batch = xsimd::batch<A, Arch>;
  using wide = xsimd::batch<double, Arch>;

  /// What keys other than sinks are multiplied by, 0 for rows that stay as they are. Returns the mass that
  /// this moves.
  static double find_factors(const double* elsewhere, const double* on_sinks, double beta,
                             A* factors) noexcept {
    wide moved(0.0);
    double each[rows];
    for (std::size_t r = 0; r < rows; r += wide::size) {
      const wide other = wide::load_unaligned(elsewhere + r), sink = wide::load_unaligned(on_sinks + r);
      const auto changes = row_changes(sink, other);
      const wide freed = xsimd::select(changes, freed_mass(sink, beta), wide(0.0));
      xsimd::select(changes, elsewhere_factor(freed, other), wide(0.0)).store_unaligned(each + r);
      moved = moved + freed;
    }
    for (std::size_t r = 0; r < rows; ++r)
      factors[r] = static_cast<A>(each[r]);
    return simd::sum_lanes(moved);
  }
};

#endif

/// Proportional redistribution in the rows of one head from `first` on. `sinks` ascend; `marks` is scratch
/// for map.keys numbers. Renormalised rows, whose columns have a factor each row, go one by one. Returns the
/// mass moved.
template <class T, class Arch>
double redistribute_rows(const attention_span<T>& map, std::size_t batch, std::size_t head, std::size_t first,
                         std::span<const std::size_t> sinks, const column_scaling& scaling,
                         [[maybe_unused]] accumulator_t<T>* marks) noexcept {
  double moved = 0;
  sinks_of_rows sinks_seen(sinks);
  std::size_t i = first;
#if defined(ACT_DETAIL_HAS_XSIMD)
  if constexpr (simd::vectorised<accumulator_t<T>, Arch> && simd::vectorised<double, Arch>) {
    if (!scaling.renormalises) {
      const double beta = scaling.factor;
      using panel = proportional_panel<T, Arch>;
      std::fill_n(marks, map.keys, accumulator_t<T>(0));
      for (const std::size_t sink : sinks)
        marks[sink] = 1;
      // Rows before the first that has work to do may complete a panel: they stay as they are.
      i = first_of_panel(map.visible, batch, first, panel::rows);
      while (i < map.queries) {
        const bool whole = rows_before_panel(map.visible, batch, i, map.queries, panel::rows) == 0;
        const std::size_t rows = whole ? panel::rows : 1;
        const key_range seen = map.visible.row(batch, i);
        // A panel's rows see the same first key.
        const std::span<const std::size_t> here = sinks_seen.within({seen.begin, seen.end + rows - 1});
        T* const row = map.row(batch, head, i);
        moved +=
            whole ? panel::redistribute(row, {map.query_stride, seen.begin, seen.end - 1}, marks, here, beta)
                  : redistribute_proportionally<T, Arch>(row, seen, here, scaling);
        i += rows;
      }
      return moved;
    }
  }
#endif
  for (; i < map.queries; ++i) {
    const key_range seen = map.visible.row(batch, i);
    moved +=
        redistribute_proportionally<T, Arch>(map.row(batch, head, i), seen, sinks_seen.within(seen), scaling);
  }
  return moved;
}

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
