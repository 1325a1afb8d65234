#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/search/evidence.hpp>
#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
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

// Where the picked heads are in a table.
head_order places_of(const score_changes& of, const head_selection& picked) {
  std::set<tried_head> heads;
  for (const head_evidence& each : picked.heads)
    heads.insert(tried(each));
  head_order set;
  for (std::size_t head = 0; head < of.heads().size(); ++head) {
    if (heads.contains(tried(of, head))) set.push_back(head);
  }
  return set;
}

// A set's evidence, best head first.
std::vector<head_evidence> evidence_in(const trial_table& trials, const score_changes& changes,
                                       const head_order& set) {
  std::map<tried_head, head_evidence> evidence;
  for (const head_evidence& each : evidence_of(trials))
    evidence[tried(each)] = each;
  std::vector<head_evidence> of_set;
  for (const std::size_t head : set)
    of_set.push_back(evidence.at(tried(changes, head)));
  return of_set;
}

// The samples' scores with a set run together as one head's, so that an objective sees them as it does a
// head's.
score_changes as_one_head(const trial_table& trials, std::span<const std::vector<double>> joint) {
  trial_table table({{0, 0}}, {trials.samples().begin(), trials.samples().end()});
  bool fits = joint.size() == trials.samples().size();
  for (std::size_t sample = 0; fits && sample < joint.size(); ++sample) {
    fits = joint[sample].size() == trials.samples()[sample].scores;
    if (!fits) break;
    table.set_plain(sample, trials.plain(sample));
    table.set_trial(0, sample, joint[sample], true);
  }
  if (!fits) throw error(error_code::invalid_shape, "joint", "must have as many scores as the trials");
  return score_changes(table);
}

// What the objective's mean gains by a set's estimate.
double gain_of_set(const score_changes& raw, search_objective objective, std::span<const std::size_t> set) {
  const std::vector<std::size_t> over = all_samples(raw);
  const score_changes seen = seen_by(objective, raw, over);
  const std::vector<double> weights = balanced_weights(seen, over);
  return mean_value(objective, seen, seen.estimate(set), over, weights) -
         mean_value(objective, seen, seen.plain(), over, weights);
}

bool takes_a_count(const selection_rule& rule) {
  switch (rule.method) {
    case selection_method::top:
    case selection_method::stable:
    case selection_method::shared:
    case selection_method::greedy:
    case selection_method::balanced:
    case selection_method::initial_mass:
      return true;
    default:
      return false;
  }
}

}  // namespace

head_selection select_heads(const trial_table& trials, const selection_rule& rule) {
  const score_changes changes(trials);
  chosen_set set = choose_set(rule, changes, all_samples(changes),
                              {.folds = 5, .repeats = 4, .seed = runtime::splitmix64(rule.seed)()});
  return {.heads = evidence_in(trials, changes, set.heads),
          .estimates = std::move(set.estimates),
          .chosen = set.chosen};
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
  const head_order set = places_of(changes, picked);
  return verify(changes, set, joint);
}

std::vector<alternative_selection> best_alternatives(const trial_table& trials, const selection_rule& rule,
                                                     const head_selection& picked, std::size_t count) {
  std::vector<alternative_selection> made{{.rule = rule, .picked = picked}};
  const score_changes changes(trials);
  std::set<head_order> known{places_of(changes, picked)};
  const auto add = [&](const selection_rule& by, head_selection other) {
    if (!other.heads.empty() && known.insert(places_of(changes, other)).second)
      made.push_back({.rule = by, .picked = std::move(other)});
  };
  if (!picked.estimates.empty()) {
    const std::vector<head_order> sets = candidate_sets(rule, changes, all_samples(changes));
    std::vector<std::size_t> order(sets.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return picked.estimates[a].gain > picked.estimates[b].gain;
    });
    for (const std::size_t i : order) {
      if (made.size() >= count || picked.estimates[i].gain <= 0) break;
      selection_rule by = rule;  // the forecast is of what is taken, not of choosing it
      if (takes_a_count(rule)) {
        by.count = sets[i].size();
        by.share = 0;
      }
      add(by, {.heads = evidence_in(trials, changes, sets[i]), .estimates = picked.estimates, .chosen = i});
    }
  } else if (takes_a_count(rule)) {
    const std::size_t heads = changes.head_count();
    const auto asked =
        static_cast<double>(std::clamp<std::size_t>(rule.count_among(changes.searched_heads()), 1, heads));
    const auto distance = [&](std::size_t size) {
      return std::abs(std::log(static_cast<double>(size) / asked));
    };
    std::vector<std::size_t> sizes = sizes_to_try(heads);
    std::stable_sort(sizes.begin(), sizes.end(),
                     [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
    for (const std::size_t size : sizes) {
      if (made.size() >= count) break;
      selection_rule other = rule;
      other.count = size;
      other.share = 0;
      add(other, select_heads(trials, other));
    }
  }
  return made;
}

measured_set measure(const trial_table& trials, const head_selection& picked, search_objective objective,
                     std::span<const std::vector<double>> joint) {
  const score_changes changes(trials);
  const head_order set = places_of(changes, picked);
  const std::array<std::size_t, 1> one{0};
  measured_set made{.heads = picked.heads.size(),
                    .estimated_gain = gain_of_set(changes, objective, set),
                    .joint_gain = gain_of_set(as_one_head(trials, joint), objective, one)};
  if (!picked.estimates.empty()) made.order = picked.estimates[picked.chosen].recipe.order;
  return made;
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
