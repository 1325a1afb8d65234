// Supervised output calibration: what labelled samples can do for a model's label scores without touching the
// model. The rival of every change inside it, ACT's too: a head that only moves the label prior is worth no
// more than a bias, and one that only mixes the labels up otherwise no more than a linear map.
#pragma once

#include <act/statistics/auc.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

enum class label_map_kind {
  bias,    ///< score + b of its label
  linear,  ///< b + W score: each label's new score from all of a sample's scores
};

/// From a sample's scores to others, one a label.
struct label_map {
  std::vector<double> bias;                  ///< one a label
  std::vector<std::vector<double>> weights;  ///< [label][score]; with kind `bias` the identity
  double penalty = 0;                        ///< what cross-validation chose

  /// Precondition: as many scores as it has labels.
  [[nodiscard]] std::vector<double> operator()(std::span<const double> scores) const;
  [[nodiscard]] score_table operator()(const score_table& scores) const;
};

/// The map under which a softmax of the new scores makes the labels likeliest (multinomial logistic
/// regression), less a penalty: half its weight times the sum of squares of `bias`, or of the weights over
/// scores that are standardised (their bias is free). The penalty's weight, for the mean log-likelihood a
/// sample, is the one of 1e-4, 1e-3 .. 10 with the largest likelihood in five-fold cross-validation; folds
/// deal out each label's samples in turn. Deterministic. Empty when undefined: less than 10 samples, fewer
/// than two labels among them, scores that aren't finite, or samples with different numbers of scores
/// (options, which share no labels). Throws error (invalid_shape) where sizes differ or a label has no score.
/// Newton's method: O(n labels^4) a step for the linear map, and O(labels^6) to solve it, some ten steps for
/// each penalty and fold.
[[nodiscard]] std::optional<label_map> fit_label_map(const score_table& scores,
                                                     std::span<const std::size_t> labels,
                                                     label_map_kind kind);

/// The same with a penalty of one's own.
[[nodiscard]] std::optional<label_map> fit_label_map(const score_table& scores,
                                                     std::span<const std::size_t> labels, label_map_kind kind,
                                                     double penalty);

}  // namespace act::statistics
