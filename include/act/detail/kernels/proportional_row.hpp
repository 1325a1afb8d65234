// Proportional redistribution in one row, or its columns scaled and the row renormalised
// (rules/row_rule.hpp says when it changes, and by what): sums of what is on sinks and elsewhere, then the
// scaling. For every form that has rows of weights; most rows of a causal
// map go many at a time instead, see proportional_panel.hpp. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/row_simd.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Mass of the keys in `seen` that aren't in `sinks`, which ascend and lie within it; summed directly, as
/// accurately as row_kernel's sum. Pieces that hold a sink are copied and summed with noughts in its place:
/// one long sum is much faster than many short ones, and the row itself is only read, maybe by others too.
template <class T, class Arch>
[[nodiscard]] double sum_elsewhere(const T* row, key_range seen,
                                   std::span<const std::size_t> sinks) noexcept {
  constexpr std::size_t piece = 512;  // a whole number of row_kernel's own pieces: the same sum, to the bit
  double total = 0;
  std::size_t next = 0;
  for (std::size_t from = seen.begin; from < seen.end; from += piece) {
    const std::size_t count = std::min(piece, seen.end - from);
    if (next == sinks.size() || sinks[next] >= from + count) {
      total += row_kernel<T, Arch>::sum(row + from, count);
      continue;
    }
    T copy[piece];
    std::copy_n(row + from, count, copy);
    for (; next < sinks.size() && sinks[next] < from + count; ++next)
      copy[sinks[next] - from] = element_traits<T>::store(0);
    total += row_kernel<T, Arch>::sum(copy, count);
  }
  return total;
}

/// Multiplies sinks by `at_sinks` and the other keys of `seen` by `elsewhere`. Vectors run over both; the
/// sinks are kept aside and written last.
template <class T, class Arch>
void scale_row(T* row, key_range seen, std::span<const std::size_t> sinks, accumulator_t<T> at_sinks,
               accumulator_t<T> elsewhere) noexcept {
  using element = element_traits<T>;
  constexpr std::size_t chunk = 64;
  accumulator_t<T> kept[chunk];
  std::size_t from = seen.begin;
  do {
    const std::size_t count = std::min(chunk, sinks.size());
    for (std::size_t k = 0; k < count; ++k)
      kept[k] = element::load(row[sinks[k]]);
    const std::size_t to = count < sinks.size() ? sinks[count] : seen.end;
    row_kernel<T, Arch>::scale(row + from, to - from, elsewhere);
    for (std::size_t k = 0; k < count; ++k)
      row[sinks[k]] = element::store(kept[k] * at_sinks);
    sinks = sinks.subspan(count);
    from = to;
  } while (from < seen.end);
}

/// How a row changes, read only. `sinks` ascend and lie within `seen`. `sum()` is the row's; it is asked for
/// when sinks have some of it.
template <class T, class Arch, class Sum>
[[nodiscard]] row_change weigh_proportionally(const T* row, key_range seen,
                                              std::span<const std::size_t> sinks,
                                              const column_scaling& scaling, Sum&& sum) noexcept {
  double on_sinks = 0;
  for (const std::size_t s : sinks)
    on_sinks += static_cast<double>(element_traits<T>::load(row[s]));
  if (!(on_sinks > 0)) return {};
  const double mass = sum();
  if (!std::isfinite(mass)) return {};
  const bool cancels = on_sinks > cancelling_share * mass;
  return change_of_row(on_sinks, cancels ? sum_elsewhere<T, Arch>(row, seen, sinks) : mass - on_sinks,
                       scaling);
}

/// Calibrates one row. `sinks`, or what is scaled in their place, ascend and lie within `seen`. Returns the
/// mass moved; 0, and the row as it was to the bit, where the rule lets it stay.
template <class T, class Arch>
double redistribute_proportionally(T* row, key_range seen, std::span<const std::size_t> sinks,
                                   const column_scaling& scaling) noexcept {
  const row_change change = weigh_proportionally<T, Arch>(row, seen, sinks, scaling, [&]() noexcept {
    return row_kernel<T, Arch>::sum(row + seen.begin, seen.size());
  });
  if (change.changes) {
    scale_row<T, Arch>(row, seen, sinks, static_cast<accumulator_t<T>>(change.columns),
                       static_cast<accumulator_t<T>>(change.elsewhere));
  }
  return change.moved();
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
