#include <act/head_set.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/search/evidence.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

head_selection select_heads(const trial_table& trials, const selection_rule& rule) {
  const score_changes changes(trials);
  std::map<layer_head, head_evidence> evidence;
  for (const head_evidence& each : evidence_of(trials))
    evidence[{each.layer, each.head}] = each;

  chosen_set set = choose_set(rule, changes, all_samples(changes),
                              {.folds = 5, .repeats = 4, .seed = runtime::splitmix64(rule.seed)()});
  head_selection picked{.heads = {}, .estimates = std::move(set.estimates), .chosen = set.chosen};
  for (const std::size_t head : set.heads)
    picked.heads.push_back(evidence.at(changes.heads()[head]));
  return picked;
}

std::vector<source_forecast> forecast_selection(const trial_table& trials, const selection_rule& rule) {
  // Other folds than those that choose.
  runtime::splitmix64 seeds(~rule.seed);
  const cross_validation_options outer{.folds = 5, .repeats = 2, .seed = seeds()};
  return forecast_gain(rule, score_changes(trials), outer, {.folds = 5, .repeats = 1, .seed = seeds()});
}

std::vector<source_verification> verify_selection(const trial_table& trials, const head_selection& picked,
                                                  std::span<const std::vector<double>> joint) {
  const score_changes changes(trials);
  const head_set heads = heads_of(picked.heads);
  head_order set;
  for (std::size_t head = 0; head < changes.heads().size(); ++head) {
    if (heads.contains(changes.heads()[head])) set.push_back(head);
  }
  return verify(changes, set, joint);
}

head_set heads_of(std::span<const head_evidence> evidence) {
  head_set heads;
  for (const head_evidence& each : evidence)
    heads.insert(each.layer, each.head);
  return heads;
}

}  // namespace act::search
