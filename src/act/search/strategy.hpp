// What strategies other than the exact search have in common: by what heads are judged, and what their trials
// cost.
#pragma once

#include <act/search/search_run.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::search {

/// By what heads are judged while a search runs: of a table in which every trial is known the change of each
/// sample's value by each head, [head * samples + sample]. The search wants its mean to be large.
/// selection/gains_by.hpp makes them of objectives.
using gain_function = std::function<std::vector<double>(const trial_table&)>;

/// In which order a rule prefers the heads of such a table: a number a head, over 0 where it would be taken
/// if it has a place, larger where it comes earlier.
using worth_function = std::function<std::vector<double>(const trial_table&)>;

/// Some heads and the first `samples` samples of a table, with what is known of them.
[[nodiscard]] trial_table part_of(const trial_table& table, std::span<const std::size_t> heads,
                                  std::size_t samples);

/// Trials of some of the table's heads (numbers, ascending) on a chunk: a block a layer and strength.
[[nodiscard]] std::vector<trial_block> blocks_of(const search_run& run, const sample_chunk& chunk,
                                                 std::span<const std::size_t> heads);

/// What all trials of a head cost, in tokens times layers: those of samples in which it has sinks. All
/// samples must be known in `table`, which may be of estimates.
[[nodiscard]] double cost_of(const search_run& run, const trial_table& table, std::size_t head);

}  // namespace act::search
