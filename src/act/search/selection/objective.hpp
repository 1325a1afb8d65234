// What heads are chosen to improve, as one number a sample.
#pragma once

#include <act/search/selection/score_changes.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace act::search {

enum class search_objective {
  accuracy,    ///< right or wrong; among heads that gain as much, likelihood decides
  likelihood,  ///< the right answer's log-probability: moves long before an answer flips
  centred,     ///< the same of centred scores (score_changes::centred): no shift of the label prior moves it
  mixed,       ///< centred, and a fifth of likelihood: a better order first, a better label prior too
  auc,      ///< pairs of samples that the scores order rightly: no shift of the label prior moves it either
  entropy,  ///< less of it in the answers' probabilities: no label is looked at (ZeroTuning, unsupervised)
};

/// What `mixed` takes of likelihood beside the whole of centred: docs/selection.md shows what others give.
inline constexpr double mixed_likelihood = 0.2;

/// Changes as an objective looks at them: centred over `over` (centred; auc, whose order that doesn't
/// change), doubled by beside_centred (mixed), or as they are. What `scores` of the functions below belong
/// to.
[[nodiscard]] score_changes seen_by(search_objective objective, const score_changes& of,
                                    std::span<const std::size_t> over);

/// "accuracy", "likelihood", "centred", "mixed", "auc", "entropy".
[[nodiscard]] std::string_view name_of(search_objective objective) noexcept;
[[nodiscard]] std::optional<search_objective> find_objective(std::string_view name) noexcept;

/// Of each sample in `over` one number, whose mean is the objective's value over a source's samples.
///
/// accuracy: 1 where the right answer scores most (ties to the first), else 0. likelihood, centred:
/// log softmax of the right answer. mixed: their sum, likelihood times mixed_likelihood. entropy: that
/// of the softmax, times -1. auc: Hand and Till's
/// M (2001) with differences of scores, the mean over pairs of labels of the share of pairs of samples, one
/// of each label, whose difference between the two labels' scores is larger where it should be (ties a half);
/// for two labels the AUC. A sample's number is M's pseudo-value, M plus the sample's influence on it, so
/// that their spread is DeLong's (1988). Only samples of the same source make pairs; without a pair M is 1/2.
/// Of samples with answers of their own it is the share of the wrong answers that score less than the right
/// one.
///
/// `of` is as seen_by gives it for the objective, `scores` lie as `of.plain()`. O(scores), auc: O(labels^2 n
/// log n).
[[nodiscard]] std::vector<double> sample_values(search_objective objective, const score_changes& of,
                                                std::span<const double> scores,
                                                std::span<const std::size_t> over);

/// The mean of those, balanced over sources: `weights` are balanced_weights(of, over). Allocates for auc
/// only.
[[nodiscard]] double mean_value(search_objective objective, const score_changes& of,
                                std::span<const double> scores, std::span<const std::size_t> over,
                                std::span<const double> weights);

/// What a head is worth on its own.
struct head_gain {
  double mean = 0;            ///< of the objective's change by the head alone, balanced over sources
  double standard_error = 0;  ///< of that mean
  double freedom = 0;         ///< degrees of freedom of that (Welch and Satterthwaite; one source: n - 1)

  /// mean / standard_error; 0 where nothing changes, infinite where every sample changes by the same.
  [[nodiscard]] double t() const noexcept;
};

/// The change of each of `over`'s values by each head alone, [head * over.size() + i]. `of` as above.
[[nodiscard]] std::vector<double> sample_gains(search_objective objective, const score_changes& of,
                                               std::span<const std::size_t> over);

/// One head's gains in one source.
struct source_gain {
  double samples = 0;
  double mean = 0;
  double variance = 0;  ///< of the mean; 0 for a single sample
};

/// Of each source that has samples in `over`, in ascending order. Precondition: as many gains as `over` has.
[[nodiscard]] std::vector<source_gain> gains_by_source(const score_changes& of, std::span<const double> gains,
                                                       std::span<const std::size_t> over);

/// Sums up `gains` of one head. Precondition: as many as `over` has.
[[nodiscard]] head_gain gain_of(const score_changes& of, std::span<const double> gains,
                                std::span<const std::size_t> over);

}  // namespace act::search
