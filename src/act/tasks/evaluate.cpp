#include <act/statistics/auc.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/paired_tests.hpp>
#include <act/statistics/prior_corrected.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/score_samples.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace act::tasks {

std::vector<std::size_t> labels_of(std::span<const prepared_sample> samples) {
  std::vector<std::size_t> labels;
  for (const prepared_sample& sample : samples)
    labels.push_back(sample.label);
  return labels;
}

std::size_t most_answers(std::span<const prepared_sample> samples) {
  std::size_t most = 0;
  for (const prepared_sample& sample : samples)
    most = std::max(most, sample.answers());
  return most;
}

namespace {

statistics::outcomes outcomes_of(const statistics::score_table& scores, std::span<const std::size_t> labels) {
  statistics::outcomes right;
  for (std::size_t i = 0; i < scores.size(); ++i)
    right.push_back(statistics::predicted_label(scores[i]) == labels[i]);
  return right;
}

// Of every run, which samples it answered right.
std::vector<statistics::outcomes> outcomes_of(std::span<const statistics::score_table> runs,
                                              std::span<const std::size_t> labels) {
  std::vector<statistics::outcomes> right;
  for (const statistics::score_table& scores : runs)
    right.push_back(outcomes_of(scores, labels));
  return right;
}

// The scores of the answers themselves, all that an AUC is made of.
std::vector<statistics::score_table> answers_only(std::span<const statistics::score_table> runs,
                                                  bool with_other) {
  std::vector<statistics::score_table> kept(runs.begin(), runs.end());
  if (!with_other) return kept;
  for (statistics::score_table& scores : kept) {
    for (std::vector<double>& row : scores)
      row.pop_back();
  }
  return kept;
}

accuracy_summary summarise(std::span<const statistics::score_table> runs, std::span<const std::size_t> labels,
                           std::size_t answers, bool with_other,
                           const statistics::bootstrap_options& options) {
  accuracy_summary summary;
  summary.predicted.resize(answers);
  const auto count = static_cast<double>(runs.size());
  std::size_t right = 0;
  for (const statistics::score_table& scores : runs) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const std::size_t answer = statistics::predicted_label(scores[i]);
      (with_other && answer + 1 == scores[i].size() ? summary.other : summary.predicted[answer]) += 1;
      right += answer == labels[i] ? 1 : 0;
    }
  }
  for (double& predicted : summary.predicted)
    predicted /= count;
  summary.other /= count;
  summary.correct = static_cast<double>(right) / count;
  summary.accuracy = labels.empty() ? 0 : summary.correct / static_cast<double>(labels.size());
  summary.ci95 = runs.size() == 1 ? statistics::wilson_interval(right, labels.size())
                                  : mean_interval(statistics::right_share(outcomes_of(runs, labels)), options)
                                        .value_or(statistics::interval{});
  const std::vector<statistics::score_table> ranked = answers_only(runs, with_other);
  summary.auc = statistics::auc(ranked, labels);
  if (summary.auc) summary.auc_ci95 = auc_interval(ranked, labels, options);
  summary.prior_corrected = statistics::prior_corrected_accuracy(ranked, labels);
  if (summary.prior_corrected)
    summary.prior_corrected_ci95 = statistics::prior_corrected_interval(ranked, labels, options);
  return summary;
}

// `after` less `before`, run by run the same samples.
accuracy_difference compare(std::span<const statistics::score_table> before,
                            const accuracy_summary& before_sum,
                            std::span<const statistics::score_table> after, const accuracy_summary& after_sum,
                            std::span<const std::size_t> labels, bool with_other,
                            const statistics::bootstrap_options& options) {
  const std::vector<statistics::outcomes> old_right = outcomes_of(before, labels);
  const std::vector<statistics::outcomes> new_right = outcomes_of(after, labels);
  accuracy_difference difference;
  difference.accuracy = after_sum.accuracy - before_sum.accuracy;
  difference.ci95 =
      accuracy_difference_interval(old_right, new_right, options).value_or(statistics::interval{});
  statistics::paired_counts all;
  for (std::size_t run = 0; run < before.size(); ++run) {
    const statistics::paired_counts pairs = statistics::count_pairs(old_right[run], new_right[run]);
    all.gained += pairs.gained;
    all.lost += pairs.lost;
  }
  difference.gained = static_cast<double>(all.gained) / static_cast<double>(before.size());
  difference.lost = static_cast<double>(all.lost) / static_cast<double>(before.size());
  if (before.size() == 1) difference.mcnemar_p = statistics::mcnemar_exact(all.gained, all.lost);
  if (before_sum.auc && after_sum.auc) {
    difference.auc = *after_sum.auc - *before_sum.auc;
    difference.auc_ci95 = auc_difference_interval(answers_only(before, with_other),
                                                  answers_only(after, with_other), labels, options);
  }
  if (before_sum.prior_corrected && after_sum.prior_corrected) {
    difference.prior_corrected = *after_sum.prior_corrected - *before_sum.prior_corrected;
    difference.prior_corrected_ci95 = statistics::prior_corrected_difference_interval(
        answers_only(before, with_other), answers_only(after, with_other), labels, options);
  }
  return difference;
}

}  // namespace

evaluation evaluate(std::span<const std::size_t> labels, std::size_t answers,
                    std::span<const sample_scores> runs, const statistics::bootstrap_options& options) {
  std::vector<statistics::score_table> plain, contextual, calibrated;
  for (const sample_scores& run : runs) {
    plain.push_back(run.plain);
    contextual.push_back(run.contextual);
    calibrated.push_back(run.calibrated);
  }
  evaluation result;
  result.n = labels.size();
  result.runs = runs.size();
  result.with_other = runs.front().with_other;
  result.prior = runs.front().prior;
  result.labelled.resize(answers);
  for (const std::size_t label : labels)
    ++result.labelled[label];
  result.baseline = summarise(plain, labels, answers, result.with_other, options);
  if (!contextual.front().empty()) {
    result.contextual = summarise(contextual, labels, answers, result.with_other, options);
    result.contextual_difference =
        compare(plain, result.baseline, contextual, *result.contextual, labels, result.with_other, options);
  }
  if (!calibrated.front().empty()) {
    result.calibrated = summarise(calibrated, labels, answers, result.with_other, options);
    result.difference =
        compare(plain, result.baseline, calibrated, *result.calibrated, labels, result.with_other, options);
  }
  return result;
}

evaluation evaluate(std::span<const prepared_sample> samples, const sample_scores& scores,
                    const statistics::bootstrap_options& options) {
  return evaluate(labels_of(samples), most_answers(samples), {&scores, 1}, options);
}

}  // namespace act::tasks
