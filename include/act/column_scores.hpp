// Column scores: how much attention a key gets on average from the rows that can see it. The statistic that
// sinks are found by. For callers who want to look before they calibrate, and for chunked prompts. Not where
// the threshold is: that is sinks.hpp.
//
// The divisor is the number of rows that see the key, as in the authors' code; the paper's printed formula (a
// row sum over i) would be 1/i for every map and is a misprint.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/causal_panels.hpp>
#include <act/detail/kernels/row_panel.hpp>
#include <act/detail/kernels/row_simd.hpp>
#include <act/error.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// sums[j] += sum over rows of A[i, j], visible entries only. `sums` has map.keys elements.
/// Rows go in panels where they form some, and in groups of at most eight, whose common columns the kernel
/// adds together; both are fixed by the map's shape, and the result is the same on any number of threads.
template <class T, class Arch>
void sum_columns(const attention_span<const T>& map, std::size_t batch, std::size_t head,
                 double* sums) noexcept {
  using kernel = row_kernel<T, Arch>;
  constexpr std::size_t group = 8;
  for (std::size_t i = 0, rows = 0; i < map.queries; i += rows) {
    rows = std::min(group, map.queries - i);
#if defined(ACT_DETAIL_HAS_XSIMD)
    if constexpr (simd::vectorised<accumulator_t<T>, Arch>) {
      using panel = row_panel<T, Arch>;
      if constexpr (panel::rows % group == 0) {
        const std::size_t before = rows_before_panel(map.visible, batch, i, map.queries, panel::rows);
        if (before == 0) {
          const key_range seen = map.visible.row(batch, i);
          panel::add_columns(map.row(batch, head, i), {map.query_stride, seen.begin, seen.end - 1}, sums);
          rows = panel::rows;
          continue;
        }
        rows = std::min(rows, before);
      }
    }
#endif
    const std::size_t last = i + rows - 1;
    const std::size_t common_begin = map.visible.row(batch, last).begin;  // windows and rows only move right
    const std::size_t common_end = map.visible.row(batch, i).end;
    const T* const first = map.row(batch, head, i);
    if (common_begin >= common_end) {
      for (std::size_t r = i; r <= last; ++r) {
        const key_range seen = map.visible.row(batch, r);
        kernel::add_columns(map.row(batch, head, r) + seen.begin, 0, 1, seen.size(), sums + seen.begin);
      }
      continue;
    }
    kernel::add_columns(first + common_begin, map.query_stride, last - i + 1, common_end - common_begin,
                        sums + common_begin);
    for (std::size_t r = i; r <= last; ++r) {
      const key_range seen = map.visible.row(batch, r);
      const T* const row = map.row(batch, head, r);
      row_scalar<T>::add_columns(row + seen.begin, 0, 1, common_begin - seen.begin, sums + seen.begin);
      row_scalar<T>::add_columns(row + common_end, 0, 1, seen.end - common_end, sums + common_end);
    }
  }
}

/// Turns sums over the rows at positions [first_row, last_row) into scores, in place.
inline void divide_by_rows(const visibility& visible, std::size_t batch, std::size_t first_row,
                           std::size_t last_row, std::span<double> sums) noexcept {
  if (first_row >= last_row) return std::fill(sums.begin(), sums.end(), 0.0);  // a batch entry without a row
  if (visible.window == 0 &&
      visible.causal()) {  // every row from the key's own on sees it; a loop that vectorises
    const std::size_t initial = std::min(visible.initial_key(batch), sums.size());
    const std::size_t end = std::min(last_row, sums.size());
    for (std::size_t j = initial; j < end; ++j) {
      sums[j] /= static_cast<double>(static_cast<std::int64_t>(last_row - std::max(first_row, j)));
    }
    return;  // no other key was added to
  }
  for (std::size_t j = 0; j < sums.size(); ++j) {
    const std::size_t rows = visible.rows_seeing(batch, j, first_row, last_row);
    sums[j] = rows == 0 ? 0.0 : sums[j] / static_cast<double>(rows);
  }
}

template <class T>
void check_column_request(const attention_span<T>& map, std::size_t batch, std::size_t head,
                          std::size_t length) {
  throw_if(map.validate(), error_code::invalid_shape);
  if (batch >= map.batches)
    detail::raise(error_code::invalid_shape, "batch", "is past the map's batch entries");
  if (head >= map.heads) detail::raise(error_code::invalid_shape, "head", "is past the map's heads");
  if (length != map.keys)
    detail::raise(error_code::invalid_shape, "out", "needs one element for each of the map's keys");
}

}  // namespace detail

/// sums[j] += sum over the map's rows of A[i, j], for one head: what a chunked prompt carries from chunk to
/// chunk. `sums` has map.keys elements; masked entries are neither read nor added. Accumulated in double from
/// trees of eight values on (relative error under 1.8e-7 for float maps). One read of the visible part of the
/// head's map. Throws act::error (invalid_shape) before anything is written.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map weights [batch, head, query, key], only read
/// @param batch,head which head
/// @param sums one for each key of the map; added to
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void add_column_sums(const attention_span<T>& map, std::size_t batch, std::size_t head,
                     std::span<double> sums) {
  detail::check_column_request(map, batch, head, sums.size());
  detail::sum_columns<std::remove_const_t<T>, Arch>(map.entry(batch), 0, head, sums.data());
}

/// out[j] = mean of A[i, j] over the rows of the map that see key j; 0 where none does (section 3 of the
/// paper). `out` has map.keys elements. Cost and errors as add_column_sums.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map weights [batch, head, query, key], only read
/// @param batch,head which head
/// @param out gets one score for each key of the map
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void column_scores(const attention_span<T>& map, std::size_t batch, std::size_t head, std::span<double> out) {
  detail::check_column_request(map, batch, head, out.size());
  std::fill(out.begin(), out.end(), 0.0);
  const attention_span<T> own = map.entry(batch);
  detail::sum_columns<std::remove_const_t<T>, Arch>(own, 0, head, out.data());
  const std::size_t first_row = own.visible.query_offset;
  detail::divide_by_rows(own.visible, 0, first_row, first_row + own.queries, out);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
