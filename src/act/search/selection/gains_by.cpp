#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <vector>

namespace act::search {

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

bool by_answers_alone(const selection_rule& rule) noexcept {
  return rule.method == selection_method::paper || rule.objective == search_objective::accuracy;
}

gain_function gains_by(const selection_rule& rule) {
  return gains_by(by_answers_alone(rule) ? search_objective::accuracy : rule.objective);
}

}  // namespace act::search
