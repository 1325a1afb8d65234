#include <act/runtime/splitmix64.hpp>
#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/statistics/folds.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

std::vector<std::size_t> folds_of(const score_changes& of, std::span<const std::size_t> over,
                                  const cross_validation_options& options, std::size_t repeat) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> numbers;
  for (const std::size_t sample : over)
    numbers.try_emplace({of.samples()[sample].source, of.samples()[sample].label}, numbers.size());
  std::vector<std::size_t> strata;
  for (const std::size_t sample : over)
    strata.push_back(numbers.at({of.samples()[sample].source, of.samples()[sample].label}));
  runtime::splitmix64 seeds(options.seed);
  std::uint64_t seed = seeds();
  for (std::size_t i = 0; i < repeat; ++i)
    seed = seeds();
  return statistics::stratified_folds(strata, std::clamp<std::size_t>(options.folds, 1, over.size()), seed);
}

held_back_scores hold_back(
    std::span<const std::size_t> over, std::span<const std::size_t> fold_of,
    const std::function<score_changes(std::span<const std::size_t> training)>& seen,
    const std::function<std::vector<head_order>(std::span<const std::size_t> training)>& make_sets) {
  held_back_scores held;
  const std::size_t folds = *std::max_element(fold_of.begin(), fold_of.end()) + 1;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<std::size_t> training, held_back;
    for (std::size_t at = 0; at < over.size(); ++at)
      (fold_of[at] == fold ? held_back : training).push_back(over[at]);
    const std::vector<head_order> sets = make_sets(training);
    const score_changes from = seen(training);
    held.plain.resize(from.plain().size());
    held.estimate.resize(sets.size(), held.plain);
    const auto take = [&](std::span<const double> scores, std::vector<double>& to) {
      for (const std::size_t sample : held_back) {
        const std::span<const double> row = from.row(scores, sample);
        std::copy(row.begin(), row.end(), to.begin() + static_cast<std::ptrdiff_t>(from.first(sample)));
      }
    };
    take(from.plain(), held.plain);
    for (std::size_t set = 0; set < sets.size(); ++set)
      take(from.estimate(sets[set]), held.estimate[set]);
  }
  return held;
}

namespace {

// Of each recipe, each sample's gain over the plain scores when it is held back: a mean over the repeats.
std::vector<std::vector<double>> held_back_gains(const selection_rule& rule, const score_changes& of,
                                                 std::span<const std::size_t> over,
                                                 const cross_validation_options& options) {
  const score_changes layout = seen_by(rule.objective, of, over);
  std::vector<std::vector<double>> gains;
  for (std::size_t repeat = 0; repeat < options.repeats; ++repeat) {
    const held_back_scores held = hold_back(
        over, folds_of(of, over, options, repeat),
        [&](std::span<const std::size_t> training) { return seen_by(rule.objective, of, training); },
        [&](std::span<const std::size_t> training) { return candidate_sets(rule, of, training); });
    gains.resize(held.estimate.size(), std::vector<double>(over.size()));
    const std::vector<double> plain = sample_values(rule.objective, layout, held.plain, over);
    for (std::size_t set = 0; set < gains.size(); ++set) {
      const std::vector<double> values = sample_values(rule.objective, layout, held.estimate[set], over);
      for (std::size_t at = 0; at < over.size(); ++at)
        gains[set][at] += (values[at] - plain[at]) / static_cast<double>(options.repeats);
    }
  }
  return gains;
}

}  // namespace

chosen_set choose_set(const selection_rule& rule, const score_changes& of, std::span<const std::size_t> over,
                      const cross_validation_options& options) {
  const std::vector<set_recipe> made = recipes(rule, of);
  std::vector<head_order> sets = candidate_sets(rule, of, over);
  if (made.size() == 1) return {.heads = std::move(sets.front()), .estimates = {}, .chosen = 0};
  chosen_set chosen{.heads = {}, .estimates = {}, .chosen = 0};
  // One sample can't be held back from itself.
  if (over.size() < 2) return chosen;

  const std::vector<std::vector<double>> gains = held_back_gains(rule, of, over, options);
  std::size_t best = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const head_gain gain = gain_of(of, gains[i], over);
    chosen.estimates.push_back({.recipe = made[i], .gain = gain.mean, .standard_error = gain.standard_error});
    if (gain.mean > chosen.estimates[best].gain) best = i;
  }
  const recipe_estimate& reached = chosen.estimates[best];
  if (reached.gain <= reached.standard_error) return chosen;
  chosen.chosen = best;
  chosen.heads = std::move(sets[chosen.chosen]);
  return chosen;
}

}  // namespace act::search
