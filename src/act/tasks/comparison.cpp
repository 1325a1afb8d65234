#include <act/statistics/label_map.hpp>
#include <act/tasks/comparison.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace act::tasks {

std::vector<compared_row> compare(const scored_way& way, const statistics::score_table& plain,
                                  std::span<const std::size_t> labels, std::size_t answers, bool with_other,
                                  const statistics::bootstrap_options& options) {
  std::vector<compared_row> rows;
  const auto add = [&](statistics::score_table scores, std::optional<statistics::label_map_kind> map) {
    compared_row row{.name = way.name,
                     .map = map,
                     .fitted_on = map ? way.fitting_labels.size() : 0,
                     .summary = {},
                     .difference = {}};
    const bool is_plain = scores == plain;
    sample_scores both;
    both.plain = plain;
    if (!is_plain) both.calibrated = std::move(scores);
    both.with_other = with_other;
    const evaluation result = evaluate(labels, answers, {&both, 1}, options);
    row.summary = is_plain ? result.baseline : *result.calibrated;
    row.difference = result.difference;
    rows.push_back(std::move(row));
  };
  add(way.scores, {});
  if (with_other) return rows;
  for (const auto kind : {statistics::label_map_kind::bias, statistics::label_map_kind::linear}) {
    const std::optional<statistics::label_map> map =
        statistics::fit_label_map(way.fitting_scores, way.fitting_labels, kind);
    if (map && map->bias.size() == answers) add((*map)(way.scores), kind);
  }
  return rows;
}

}  // namespace act::tasks
