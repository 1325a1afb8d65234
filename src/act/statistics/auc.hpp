// Area under the ROC curve of label scores: whether the scores order the samples rightly, wherever the
// threshold is. It stands beside every accuracy, because moving all scores of a label by the same amount
// changes accuracy and not AUC.
#pragma once

#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

/// One run's scores: of every sample one number a label (logits or log-likelihoods, larger is likelier).
/// Samples may have different numbers of labels (options).
using score_table = std::vector<std::vector<double>>;

/// AUC of one run, or the mean over several (few-shot seeds) of the same samples. Two labels: of the score
/// difference. More: the mean over the labels of one against the rest, ranked by softmaxed score; labels that
/// no sample has are left out, and a sample without some label (fewer options) ranks last for it. Ties count
/// half. Empty when undefined: a NaN score, no runs, or no label with both positives and negatives. Throws
/// error (invalid_shape) where sizes differ or a label has no score. O(labels x n log n).
[[nodiscard]] std::optional<double> auc(std::span<const score_table> runs,
                                        std::span<const std::size_t> labels);

/// Bootstrap interval of auc(runs, labels). A resample that loses every sample of a label leaves that label
/// out; one with no defined AUC is itself left out. Scores are sorted once; a resample costs O(labels x n).
[[nodiscard]] std::optional<interval> auc_interval(std::span<const score_table> runs,
                                                   std::span<const std::size_t> labels,
                                                   const bootstrap_options& options = {});

/// Paired bootstrap interval of the AUC difference, calibrated less baseline: both are taken over the same
/// resamples.
[[nodiscard]] std::optional<interval> auc_difference_interval(std::span<const score_table> baseline,
                                                              std::span<const score_table> calibrated,
                                                              std::span<const std::size_t> labels,
                                                              const bootstrap_options& options = {});

}  // namespace act::statistics
