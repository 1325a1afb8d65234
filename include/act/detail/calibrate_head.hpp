// One head of a map, from its columns to its rows: what calibrate() runs for each head, and the fused form
// for a head that keeps its map. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/column_scores.hpp>
#include <act/detail/authors_row.hpp>
#include <act/detail/build.hpp>
#include <act/detail/chosen_columns.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/kernels/sinks_in_rows.hpp>
#include <act/detail/proportional_panel.hpp>
#include <act/detail/redistribute.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>
#include <act/options.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Calibrates the rows of one head, its sinks, or the columns in their place, known. `options` are its own
/// (of_head). `marks` is scratch for map.keys numbers.
/// Returns the mass moved.
template <class T, class Arch>
double calibrate_rows(const attention_span<T>& map, std::size_t batch, std::size_t head,
                      std::span<const std::size_t> sinks, const calibration_options& options,
                      accumulator_t<T>* marks) noexcept {
  double moved = 0;
  if (options.behave_as == compatibility::authors) {
    for (std::size_t i = 0; i < map.queries; ++i) {
      const key_range seen = map.visible.row(batch, i);
      moved += redistribute_like_authors(map.row(batch, head, i), map.keys, seen, sinks_within(sinks, seen),
                                         options.beta, i == 0);
    }
    *map.row(batch, head, 0) = element_traits<T>::store(1);
    return moved;
  }
  // Temperature needs no sinks and starts at the first row.
  const bool tempered = options.redistribute == redistribution::temperature;
  const column_scaling scaling = scaling_of(options);
  if (!tempered && (sinks.empty() || scaling.is_nothing())) return 0;
  const std::size_t first = tempered ? 0 : map.visible.first_row_seeing(sinks[0]);
  if (options.redistribute == redistribution::proportional || scaling.renormalises)
    return redistribute_rows<T, Arch>(map, batch, head, first, sinks, scaling, marks);
  const std::size_t initial = map.visible.initial_key(batch);
  sinks_of_rows sinks_seen(sinks);
  for (std::size_t i = first; i < map.queries; ++i) {
    const key_range seen = map.visible.row(batch, i);
    moved += redistribute<T, Arch>(map.row(batch, head, i), seen, sinks_seen.within(seen), initial, options);
  }
  return moved;
}

/// Finds the head's sinks and calibrates its rows. `options` are its own (of_head). `scores`, `positions` and
/// `marks` hold map.keys numbers each; afterwards `scores` has every key's score, `positions` begins with
/// those of the sinks, ascending. Where the options choose other columns, no sink is looked for. `carried`:
/// raw column sums of a prompt's earlier rows, added to, or null: sinks then come from all rows so far.
template <class T, class Arch>
head_outcome calibrate_head(const attention_span<T>& map, std::size_t batch, std::size_t head,
                            const calibration_options& options, std::span<double> scores,
                            std::span<std::size_t> positions, accumulator_t<T>* marks,
                            double* carried = nullptr) noexcept {
  const bool finds = options.columns == column_choice::sinks;
  const std::size_t first_row = carried != nullptr ? 0 : map.visible.query_offset;
  const std::size_t last_row = map.visible.query_offset + map.queries;
  if (finds || carried != nullptr) {
    std::fill(scores.begin(), scores.end(), 0.0);
    sum_columns<T, Arch>(map, batch, head, scores.data());
    for (std::size_t j = 0; carried != nullptr && j < scores.size(); ++j)
      scores[j] = carried[j] += scores[j];
  }
  if (!finds) {
    const std::size_t chosen = collect_columns(options, map.visible, batch, map.keys, positions);
    return {0, calibrate_rows<T, Arch>(map, batch, head, positions.first(chosen), options, marks)};
  }
  divide_by_rows(map.visible, batch, first_row, last_row, scores);
  std::size_t count = 0;
  for_each_sink(scores, map.visible, batch, first_row, last_row, options.sinks, options.behave_as,
                [&](std::size_t position, double) noexcept { positions[count++] = position; });
  return {count, calibrate_rows<T, Arch>(map, batch, head, positions.first(count), options, marks)};
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
