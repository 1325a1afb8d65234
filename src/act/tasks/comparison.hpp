// Many ways of scoring the same samples, each beside the plain one: heads files of different rules, with and
// without what labelled samples can do for the scores alone (statistics/label_map.hpp).
#pragma once

#include <act/statistics/auc.hpp>
#include <act/statistics/label_map.hpp>
#include <act/tasks/evaluate.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// One way of scoring.
struct compared_row {
  std::string name;                               ///< "plain", or a heads file's
  std::optional<statistics::label_map_kind> map;  ///< none: the scores as they are
  std::size_t fitted_on = 0;                      ///< labelled samples that the map was fitted on
  accuracy_summary summary;
  std::optional<accuracy_difference> difference;  ///< less plain; the plain row itself has none
};

/// Scores of one way on the samples that are compared and on those that maps are fitted on.
struct scored_way {
  std::string name;
  statistics::score_table scores;
  statistics::score_table fitting_scores;   ///< empty: no maps
  std::vector<std::size_t> fitting_labels;  ///< of these
};

/// The way's rows: as it is, and with each map that is defined. `plain` are the plain scores of the same
/// samples, whose right answers are `labels`, at most `answers` of each. Without maps where `with_other`
/// (greedy scoring, whose last score is no label's).
[[nodiscard]] std::vector<compared_row> compare(const scored_way& way, const statistics::score_table& plain,
                                                std::span<const std::size_t> labels, std::size_t answers,
                                                bool with_other,
                                                const statistics::bootstrap_options& options = {});

}  // namespace act::tasks
