// Where the rows of a map form panels (kernels/row_panel.hpp): whole groups of rows that all see the keys
// from the sequence's initial one to their own. For the core's walks over rows.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// How many rows lie before the next panel of `rows` rows that may begin at row i or later: 0 where one does
/// begin at row i, complete. `queries` rows are the map's.
[[nodiscard]] constexpr std::size_t rows_before_panel(const visibility& visible, std::size_t batch,
                                                      std::size_t i, std::size_t queries,
                                                      std::size_t rows) noexcept {
  if (!visible.causal()) return rows;  // none does
  const std::size_t initial = visible.initial_key(batch), position = visible.query_offset + i;
  if (position < initial) return initial - position;  // rows of padding see nothing
  const std::size_t over = (position - initial) % rows;
  if (over != 0) return rows - over;
  return visible.rows_seeing(batch, initial, position, visible.query_offset + queries) >= rows ? 0 : rows;
}

/// Row i, or the first of the rows that may form a panel with it.
[[nodiscard]] constexpr std::size_t first_of_panel(const visibility& visible, std::size_t batch,
                                                   std::size_t i, std::size_t rows) noexcept {
  const std::size_t initial = visible.initial_key(batch), position = visible.query_offset + i;
  const std::size_t over = position < initial ? 0 : (position - initial) % rows;
  return over <= i ? i - over : i;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
