#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace act::search {

namespace {

// It looks at nothing but which answers are right.
bool by_answers_alone(const selection_rule& rule) noexcept {
  return rule.method == selection_method::paper || rule.objective == search_objective::accuracy;
}

}  // namespace

gain_function gains_by(search_objective objective) {
  return [objective](const trial_table& complete) {
    const score_changes raw(complete);
    const std::vector<std::size_t> over = all_samples(raw);
    const score_changes changes = seen_by(objective, raw, over);
    std::vector<double> gains = sample_gains(objective, changes, over);
    const std::vector<double> weights = balanced_weights(changes, over);
    for (std::size_t i = 0; i < gains.size(); ++i)
      gains[i] *= weights[i % over.size()] * static_cast<double>(over.size());
    return gains;
  };
}

bool counts_answers(const selection_rule& rule, std::size_t sources) noexcept {
  return rule.method == selection_method::paper || (by_answers_alone(rule) && sources == 1);
}

gain_function gains_by(const selection_rule& rule) {
  return gains_by(by_answers_alone(rule) ? search_objective::accuracy : rule.objective);
}

worth_function worth_by(const selection_rule& rule) {
  return [rule, gains = gains_by(rule)](const trial_table& table) {
    const std::vector<double> of_samples = gains(table);
    const std::size_t samples = table.samples().size();
    std::vector<double> worth(table.heads().size());
    for (std::size_t head = 0; head < worth.size(); ++head) {
      const auto first = of_samples.begin() + static_cast<std::ptrdiff_t>(head * samples);
      worth[head] = std::accumulate(first, first + static_cast<std::ptrdiff_t>(samples), 0.0);
    }
    const score_changes changes(table);
    const bool one_after_the_other =
        rule.method == selection_method::greedy || rule.method == selection_method::balanced;
    if (!one_after_the_other || changes.head_count() != worth.size()) return worth;
    selection_rule all = rule;
    all.count = worth.size();
    const head_order order = candidate_sets(all, changes, all_samples(changes)).front();
    for (double& each : worth)
      each = std::min(each, 0.0);
    for (std::size_t place = 0; place < order.size(); ++place)
      worth[order[place]] = static_cast<double>(order.size() - place);
    return worth;
  };
}

}  // namespace act::search
