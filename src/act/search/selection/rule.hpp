// How heads are chosen from what the trials say: a rule by name, and what it takes.
#pragma once

#include <act/search/selection/objective.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace act::search {

/// docs/selection.md describes each, with its source and cost.
enum class selection_method {
  paper,         ///< every head that beats the plain accuracy
  top,           ///< the best K by their own gain
  fdr,           ///< those whose gain a paired test believes, at a bounded share of false ones
  stable,        ///< those that are among the best in most resamples of the samples
  shared,        ///< the best K by what they gain whatever the task, shrunk by how sure that is
  additive,      ///< of several orders and every K the set with the best cross-validated joint estimate
  greedy,        ///< one after the other what adds most to the joint estimate
  balanced,      ///< one after the other what gains most on its own and by its shift of the label prior
  random,        ///< K at random, for comparison
  all,           ///< every head that was searched, for comparison
  initial_mass,  ///< the K that attend most to the initial token: asks no label
};

struct selection_rule {
  selection_method method = selection_method::paper;
  search_objective objective = search_objective::accuracy;
  std::size_t count = 0;          ///< K; 0: by `share`
  double share = 0;               ///< K as a share of the searched heads; 0: K by cross-validation
  double false_share = 0.1;       ///< fdr's Q
  std::uint64_t seed = 0;         ///< of folds, resamples and `random`
  std::uint64_t random_seed = 0;  ///< of `random`'s heads alone, where it is given

  /// Whether a head's own gain, beside the others' own, says if it is picked: a search may then stop those
  /// that can't be. The other rules weigh heads together, count all that were searched, or take any.
  [[nodiscard]] bool judges_heads_alone() const noexcept {
    return method == selection_method::paper || method == selection_method::top;
  }

  /// K among so many searched heads, at least 1; 0: by cross-validation.
  [[nodiscard]] std::size_t count_among(std::size_t heads) const noexcept;
};

/// Reads "paper", "top[:K]", "balanced[:K]", "fdr[:Q]", "stable[:K]", "shared[:K]", "additive",
/// "greedy[:K]", "initial-mass:K", "random:K[:SEED]" or "all"; a K may be "N%". Throws `error`
/// (invalid_option) whose where() is `asked_by`, also where rule and objective don't go together: balanced
/// adds up log-likelihoods (likelihood, centred, mixed), and by entropy no rule may look at labels.
[[nodiscard]] selection_rule parse_selection(std::string_view text, search_objective objective,
                                             std::string_view asked_by = "selection rule");

/// The rule unless one is given: balanced:33% (docs/study.md says why), and top:33% where that doesn't go
/// with the objective, or heads have to be judged on their own.
[[nodiscard]] std::string_view default_selection(search_objective objective, bool on_their_own = false);

/// The names above, for messages and help.
inline constexpr std::string_view selection_rules =
    "paper, top[:K], balanced[:K], fdr[:Q], stable[:K], shared[:K], additive, greedy[:K], initial-mass:K, "
    "random:K[:SEED] or all; K is a number or N% of the searched heads";

}  // namespace act::search
