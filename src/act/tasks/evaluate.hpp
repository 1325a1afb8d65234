// Sums up what samples scored, plain and calibrated: accuracy, with and without the label prior, AUC, their
// difference and how sure it is. Several runs over the same samples (few-shot seeds) are summed up by their
// means; what is uncertain are the samples, so intervals resample these, each with all its runs.
//
// Computing only: the scores come from score_samples.hpp; the table for people and the JSON are made from
// `evaluation` (report/evaluation_report.hpp).
#pragma once

#include <act/statistics/auc.hpp>
#include <act/statistics/intervals.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// One way of scoring, summed up. Counts are means over the runs, so whole numbers for a single one.
struct accuracy_summary {
  double correct = 0;
  double accuracy = 0;
  statistics::interval ci95;                     ///< one run: Wilson; several: bootstrap over samples
  std::optional<double> auc;                     ///< empty where it isn't defined (one label only)
  std::optional<statistics::interval> auc_ci95;  ///< bootstrap over samples
  /// Of each score less its label's mean over the samples (statistics/prior_corrected.hpp); greedy: of the
  /// labels alone. Empty where it isn't defined.
  std::optional<double> prior_corrected;
  std::optional<statistics::interval> prior_corrected_ci95;  ///< bootstrap over samples
  std::vector<double> predicted;  ///< how often each label was answered: shows a label prior
  double other = 0;               ///< how often none of them was (greedy scoring)
};

/// One way of scoring less another, over the same samples.
struct accuracy_difference {
  double accuracy = 0;
  statistics::interval ci95;        ///< paired bootstrap
  double gained = 0, lost = 0;      ///< samples that became right, wrong; the mean over the runs
  std::optional<double> mcnemar_p;  ///< exact, two-sided; empty for several runs, which aren't independent
  std::optional<double> auc;
  std::optional<statistics::interval> auc_ci95;  ///< paired bootstrap
  std::optional<double> prior_corrected;
  std::optional<statistics::interval> prior_corrected_ci95;  ///< paired bootstrap
};

struct evaluation {
  std::size_t n = 0;
  std::size_t runs = 1;
  bool with_other = false;            ///< greedy scoring: the answer can be none of the labels
  std::vector<std::size_t> labelled;  ///< how many samples have each label
  accuracy_summary baseline;
  std::string prior = "contextual";            ///< which label prior (sample_scores::prior)
  std::optional<accuracy_summary> contextual;  ///< plain, less the label prior
  std::optional<accuracy_summary> calibrated;
  std::optional<accuracy_difference> difference;             ///< calibrated less plain
  std::optional<accuracy_difference> contextual_difference;  ///< contextual less plain
};

/// The right answers, sample by sample.
[[nodiscard]] std::vector<std::size_t> labels_of(std::span<const prepared_sample> samples);

/// The largest number of answers that a sample has.
[[nodiscard]] std::size_t most_answers(std::span<const prepared_sample> samples);

/// What the scores say, of one run or the mean over several. `labels[i]` is right for sample i of every run,
/// whose answers are at most `answers`. Precondition: at least one run; all have the same tables filled, and
/// all or none are greedy.
/// Throws error (invalid_shape) where sizes differ. Deterministic by `options.seed`.
[[nodiscard]] evaluation evaluate(std::span<const std::size_t> labels, std::size_t answers,
                                  std::span<const sample_scores> runs,
                                  const statistics::bootstrap_options& options = {});

/// Of one run.
[[nodiscard]] evaluation evaluate(std::span<const prepared_sample> samples, const sample_scores& scores,
                                  const statistics::bootstrap_options& options = {});

}  // namespace act::tasks
