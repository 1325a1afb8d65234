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
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

namespace {

// A head and its strength, of a table or of the evidence.
using tried_head = std::pair<layer_head, std::optional<double>>;

tried_head tried(const head_evidence& each) {
  return {{each.layer, each.head}, each.strength};
}

tried_head tried(const score_changes& of, std::size_t head) {
  return {of.heads()[head], of.strength(head)};
}

}  // namespace

head_selection select_heads(const trial_table& trials, const selection_rule& rule) {
  const score_changes changes(trials);
  std::map<tried_head, head_evidence> evidence;
  for (const head_evidence& each : evidence_of(trials))
    evidence[tried(each)] = each;

  chosen_set set = choose_set(rule, changes, all_samples(changes),
                              {.folds = 5, .repeats = 4, .seed = runtime::splitmix64(rule.seed)()});
  head_selection picked{.heads = {}, .estimates = std::move(set.estimates), .chosen = set.chosen};
  for (const std::size_t head : set.heads)
    picked.heads.push_back(evidence.at(tried(changes, head)));
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
  std::set<tried_head> heads;
  for (const head_evidence& each : picked.heads)
    heads.insert(tried(each));
  head_order set;
  for (std::size_t head = 0; head < changes.heads().size(); ++head) {
    if (heads.contains(tried(changes, head))) set.push_back(head);
  }
  return verify(changes, set, joint);
}

std::vector<double> strengths_of(std::span<const head_evidence> evidence) {
  std::map<layer_head, double> of_heads;
  for (const head_evidence& each : evidence) {
    if (each.strength) of_heads[{each.layer, each.head}] = *each.strength;
  }
  std::vector<double> strengths;
  for (const auto& [head, strength] : of_heads)
    strengths.push_back(strength);
  return strengths;
}

head_set heads_of(std::span<const head_evidence> evidence) {
  head_set heads;
  for (const head_evidence& each : evidence)
    heads.insert(each.layer, each.head);
  return heads;
}

}  // namespace act::search
