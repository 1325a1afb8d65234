// Accuracy without the label prior: each score less its label's mean over the samples that are evaluated. A
// model that answers one label to everything may still score the right label's samples higher than the
// others'; accuracy hides that, this shows it. (Batch calibration, Zhou et al. 2024, with logits.)
#pragma once

#include <act/statistics/auc.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace act::statistics {

/// The share of samples whose label has the largest corrected score, of one run or the mean over several of
/// the same samples. A score's correction is the mean of that label's scores over the run's samples that have
/// the label; a number added to all scores of one sample (a logit's normaliser) changes nothing. Ties go to
/// the first. Uses the samples' scores and not their labels, but all samples at once: it says what the scores
/// hold, not what the model would answer to one of them. Empty when undefined: less than two samples, or a
/// score that isn't finite. Throws error (invalid_shape) where sizes differ or a label has no score.
/// O(labels x n).
[[nodiscard]] std::optional<double> prior_corrected_accuracy(std::span<const score_table> runs,
                                                             std::span<const std::size_t> labels);

/// Bootstrap interval of prior_corrected_accuracy; each resample has its own means. Empty where that is, and
/// for more than 64 labels.
[[nodiscard]] std::optional<interval> prior_corrected_interval(std::span<const score_table> runs,
                                                               std::span<const std::size_t> labels,
                                                               const bootstrap_options& options = {});

/// Paired bootstrap interval of the difference, calibrated less baseline, over the same resamples.
[[nodiscard]] std::optional<interval> prior_corrected_difference_interval(
    std::span<const score_table> baseline, std::span<const score_table> calibrated,
    std::span<const std::size_t> labels, const bootstrap_options& options = {});

}  // namespace act::statistics
