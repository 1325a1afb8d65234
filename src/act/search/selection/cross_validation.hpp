// Which of a rule's sets, and what it will be worth on samples that it wasn't chosen on: both by the additive
// estimate of samples that were held back.
#pragma once

#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/score_changes.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace act::search {

struct cross_validation_options {
  std::size_t folds = 5;    ///< at most; never more than there are samples
  std::size_t repeats = 4;  ///< with other folds
  std::uint64_t seed = 0;
};

/// The folds of repeat r: samples of one source and label are dealt evenly. Index = position in `over`.
[[nodiscard]] std::vector<std::size_t> folds_of(const score_changes& of, std::span<const std::size_t> over,
                                                const cross_validation_options& options, std::size_t repeat);

/// Estimated scores of held-back samples: each sample's by sets that were made without its fold. They lie as
/// the seen changes' plain(); of samples outside `over` they are 0.
struct held_back_scores {
  std::vector<double> plain;
  std::vector<std::vector<double>> estimate;  ///< of each set
};

/// One repeat. `make_sets(training)` gives equally many sets in every fold; each fold's scores are those that
/// `seen(training)` has for its samples (seen_by: means are those of the training samples. Where the means of
/// different folds' sets differ, centring alone makes them comparable).
[[nodiscard]] held_back_scores hold_back(
    std::span<const std::size_t> over, std::span<const std::size_t> fold_of,
    const std::function<score_changes(std::span<const std::size_t> training)>& seen,
    const std::function<std::vector<head_order>(std::span<const std::size_t> training)>& make_sets);

/// What a recipe's set gains over the plain scores, on held-back samples.
struct recipe_estimate {
  set_recipe recipe;
  double gain = 0;            ///< of the rule's objective
  double standard_error = 0;  ///< of the gain
};

/// Which set a rule takes.
struct chosen_set {
  head_order heads;                        ///< best first
  std::vector<recipe_estimate> estimates;  ///< of every recipe; empty where there is nothing to choose
  std::size_t chosen = 0;                  ///< among the recipes
};

/// Makes the rule's sets from the samples `over`, estimates each by cross-validation and takes the one that
/// gains most (ties: the first), or none where that gain isn't more than its standard error.
/// Deterministic: the same samples and seed give the same set, whatever the threads.
[[nodiscard]] chosen_set choose_set(const selection_rule& rule, const score_changes& of,
                                    std::span<const std::size_t> over,
                                    const cross_validation_options& options);

}  // namespace act::search
