// From trials to a set of heads: a rule applied to what a search has found.
#pragma once

#include <act/head_set.hpp>
#include <act/search/evidence.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/verification.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::search {

/// A set that was run together, among several.
struct measured_set {
  std::size_t heads = 0;
  std::string order = {};     ///< how they were ordered; empty where the rule has one order
  double estimated_gain = 0;  ///< of the rule's objective over the search samples, by the additive estimate
  double joint_gain = 0;      ///< by whole passes
};

/// The picked heads, run together at another beta than the trials'.
struct tuned_beta {
  double beta = 0;
  double likelihood_gain = 0;  ///< as search_objective::likelihood, over the search samples, by whole passes
};

/// What a rule picked, why, and what it expects of it.
struct head_selection {
  std::vector<head_evidence> heads;        ///< best first
  std::vector<recipe_estimate> estimates;  ///< of every set it chose among; empty where it had no choice
  std::size_t chosen = 0;                  ///< which of these it took
  /// Of each file, by forecast_selection; empty until it is asked for, and for too few samples.
  std::vector<source_forecast> forecast = {};
  /// Of each file, what whole passes say of the set, by verify_selection; empty until it is asked for.
  std::vector<source_verification> verified = {};
  /// Where several sets were run together: all of them, the rule's own first, and which one was taken.
  std::vector<measured_set> measured = {};
  std::size_t taken = 0;
  /// Where they were run together at several betas: all of them, ascending, and which one was taken.
  std::vector<tuned_beta> betas = {};
  std::size_t tuned_to = 0;
};

/// The heads the rule picks, each with one of the strengths that it was tried with. Only heads that have been
/// tried on every sample are looked at. Heads that don't improve the objective are picked by `random`, `all`
/// and `initial-mass` alone, so the result may be shorter than K or empty. Order and result don't depend on
/// the order of the table's heads.
[[nodiscard]] head_selection select_heads(const trial_table& trials, const selection_rule& rule);

/// What the rule's heads will gain on unseen samples: forecast_gain with five folds, twice. Ten times the
/// work of select_heads, less its repeats.
[[nodiscard]] std::vector<source_forecast> forecast_selection(const trial_table& trials,
                                                              const selection_rule& rule);

/// What whole passes with the picked heads say beside the estimate; `joint` as joint_pass.hpp's joint_scores
/// gives them.
[[nodiscard]] std::vector<source_verification> verify_selection(const trial_table& trials,
                                                                const head_selection& picked,
                                                                std::span<const std::vector<double>> joint);

/// A set that could be taken instead of the rule's own, and the rule that takes it.
struct alternative_selection {
  selection_rule rule;
  head_selection picked;
};

/// The rule's own set and up to `count` - 1 others, each once and none of them empty: where cross-validation
/// chose among sets, those that gain most by its estimate; where K is given, those with the numbers of heads
/// next to it (sizes_to_try), nearest first. Rules with one set (paper, fdr, random, all) have no others.
[[nodiscard]] std::vector<alternative_selection> best_alternatives(const trial_table& trials,
                                                                   const selection_rule& rule,
                                                                   const head_selection& picked,
                                                                   std::size_t count);

/// What the picked heads gain of the objective over the search samples, by the estimate and by whole passes:
/// `joint` as joint_pass.hpp's joint_scores gives them. Throws error (invalid_shape) when they aren't as many
/// as the table's.
[[nodiscard]] measured_set measure(const trial_table& trials, const head_selection& picked,
                                   search_objective objective, std::span<const std::vector<double>> joint);

[[nodiscard]] head_set heads_of(std::span<const head_evidence> evidence);

/// The strength of each of heads_of(evidence), in its order; none where there is one for all.
[[nodiscard]] std::vector<double> strengths_of(std::span<const head_evidence> evidence);

}  // namespace act::search
