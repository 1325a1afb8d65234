// Sums up what samples scored, plain and calibrated: accuracy, AUC, their difference and how sure it is.
//
// Computing only: the scores come from score_samples.hpp; the table for people and the JSON are made from
// `evaluation` (report/evaluation_report.hpp).
#pragma once

#include <act/statistics/auc.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/paired_tests.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>
#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::inline ACT_ABI {

/// One way of scoring, summed up.
struct accuracy_summary {
  std::size_t correct = 0;
  double accuracy = 0;
  interval ci95;                       ///< Wilson
  std::optional<double> auc;           ///< empty where it isn't defined (one label only)
  std::optional<interval> auc_ci95;    ///< bootstrap over samples
  std::vector<std::size_t> predicted;  ///< how often each label was answered: shows a label prior
};

/// Calibrated less plain, over the same samples.
struct accuracy_difference {
  double accuracy = 0;
  interval ci95;                     ///< paired bootstrap
  std::size_t gained = 0, lost = 0;  ///< samples that became right, wrong
  double mcnemar_p = 1;              ///< exact, two-sided
  std::optional<double> auc;
  std::optional<interval> auc_ci95;  ///< paired bootstrap
};

struct evaluation {
  std::size_t n = 0;
  std::vector<std::size_t> labelled;  ///< how many samples have each label
  accuracy_summary baseline;
  std::optional<accuracy_summary> calibrated;
  std::optional<accuracy_difference> difference;
};

namespace detail {

[[nodiscard]] inline outcomes outcomes_of(const score_table& scores, std::span<const std::size_t> labels) {
  outcomes right;
  for (std::size_t i = 0; i < scores.size(); ++i)
    right.push_back(predicted_label(scores[i]) == labels[i]);
  return right;
}

[[nodiscard]] inline std::size_t most_answers(std::span<const prepared_sample> samples) {
  std::size_t most = 0;
  for (const prepared_sample& sample : samples)
    most = std::max(most, sample.answers());
  return most;
}

[[nodiscard]] inline accuracy_summary summarise(const score_table& scores,
                                                std::span<const std::size_t> labels, std::size_t words,
                                                const bootstrap_options& options) {
  accuracy_summary summary;
  summary.predicted.resize(words);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::size_t answer = predicted_label(scores[i]);
    ++summary.predicted[answer];
    summary.correct += answer == labels[i] ? 1 : 0;
  }
  summary.accuracy =
      scores.empty() ? 0 : static_cast<double>(summary.correct) / static_cast<double>(scores.size());
  summary.ci95 = wilson_interval(summary.correct, scores.size());
  const std::span<const score_table> runs(&scores, 1);
  summary.auc = auc(runs, labels);
  if (summary.auc) summary.auc_ci95 = auc_interval(runs, labels, options);
  return summary;
}

}  // namespace detail

/// What the scores say. Deterministic by `options.seed`.
[[nodiscard]] inline evaluation evaluate(std::span<const prepared_sample> samples,
                                         const sample_scores& scores, const bootstrap_options& options = {}) {
  std::vector<std::size_t> labels;
  for (const prepared_sample& sample : samples)
    labels.push_back(sample.label);
  evaluation result;
  result.n = samples.size();
  const std::size_t words = detail::most_answers(samples);
  result.labelled.resize(words);
  for (const std::size_t label : labels)
    ++result.labelled[label];
  result.baseline = detail::summarise(scores.plain, labels, words, options);
  if (scores.calibrated.empty()) return result;

  result.calibrated = detail::summarise(scores.calibrated, labels, words, options);
  const outcomes before = detail::outcomes_of(scores.plain, labels);
  const outcomes after = detail::outcomes_of(scores.calibrated, labels);
  const paired_counts pairs = count_pairs(before, after);
  accuracy_difference difference;
  difference.accuracy = result.calibrated->accuracy - result.baseline.accuracy;
  difference.ci95 =
      accuracy_difference_interval(std::span(&before, 1), std::span(&after, 1), options).value_or(interval{});
  difference.gained = pairs.gained;
  difference.lost = pairs.lost;
  difference.mcnemar_p = mcnemar_exact(pairs.gained, pairs.lost);
  if (result.baseline.auc && result.calibrated->auc) {
    difference.auc = *result.calibrated->auc - *result.baseline.auc;
    difference.auc_ci95 = auc_difference_interval(std::span(&scores.plain, 1),
                                                  std::span(&scores.calibrated, 1), labels, options);
  }
  result.difference = difference;
  return result;
}

}  // namespace act::inline ACT_ABI
