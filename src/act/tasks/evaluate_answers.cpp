#include <act/error.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/paired_tests.hpp>
#include <act/tasks/evaluate_answers.hpp>
#include <act/tasks/squad_metrics.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::tasks {

namespace {

std::vector<double> values_of(std::span<const squad_score> scores, double squad_score::*value) {
  std::vector<double> values;
  for (const squad_score& each : scores)
    values.push_back(each.*value);
  return values;
}

double mean_of(std::span<const double> values) noexcept {
  double sum = 0;
  for (const double each : values)
    sum += each;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// One question says nothing of how far others would be.
std::optional<statistics::interval> interval_of(std::span<const double> values,
                                                const statistics::bootstrap_options& options) {
  return values.size() < 2 ? std::nullopt : mean_interval(values, options);
}

answer_means means_of(std::span<const squad_score> scores, const statistics::bootstrap_options& options) {
  const std::vector<double> exact = values_of(scores, &squad_score::exact_match);
  const std::vector<double> f1 = values_of(scores, &squad_score::f1);
  return {.n = scores.size(),
          .exact_match = mean_of(exact),
          .exact_match_ci95 = statistics::wilson_interval(
              static_cast<std::size_t>(std::count(exact.begin(), exact.end(), 1.0)), exact.size()),
          .f1 = mean_of(f1),
          .f1_ci95 = interval_of(f1, options)};
}

answers_summary summarise(std::span<const squad_score> scores, const std::vector<bool>& answerable,
                          squad_rules rules, const statistics::bootstrap_options& options) {
  answers_summary summary{.all = means_of(scores, options), .has_answer = {}, .no_answer = {}};
  if (rules == squad_rules::v1) return summary;
  std::vector<squad_score> with, without;
  for (std::size_t i = 0; i < scores.size(); ++i)
    (answerable[i] ? with : without).push_back(scores[i]);
  if (!with.empty()) summary.has_answer = means_of(with, options);
  if (!without.empty()) summary.no_answer = means_of(without, options);
  return summary;
}

answers_difference compare(std::span<const squad_score> plain, std::span<const squad_score> calibrated,
                           const statistics::bootstrap_options& options) {
  std::vector<double> exact, f1;
  statistics::paired_counts pairs;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    exact.push_back(calibrated[i].exact_match - plain[i].exact_match);
    f1.push_back(calibrated[i].f1 - plain[i].f1);
    pairs.gained += exact.back() > 0 ? 1 : 0;
    pairs.lost += exact.back() < 0 ? 1 : 0;
  }
  return {.exact_match = mean_of(exact),
          .exact_match_ci95 = interval_of(exact, options),
          .f1 = mean_of(f1),
          .f1_ci95 = interval_of(f1, options),
          .gained = pairs.gained,
          .lost = pairs.lost,
          .mcnemar_p = statistics::mcnemar_exact(pairs.gained, pairs.lost)};
}

}  // namespace

answers_evaluation evaluate_answers(std::span<const squad_score> plain,
                                    std::span<const squad_score> calibrated,
                                    const std::vector<bool>& answerable, squad_rules rules,
                                    const statistics::bootstrap_options& options) {
  if (plain.size() != answerable.size() || (!calibrated.empty() && calibrated.size() != plain.size())) {
    throw error(error_code::invalid_shape, "scores", "must be one for each question");
  }
  answers_evaluation result{.n = plain.size(),
                            .rules = rules,
                            .baseline = summarise(plain, answerable, rules, options),
                            .calibrated = {},
                            .difference = {}};
  if (!calibrated.empty()) {
    result.calibrated = summarise(calibrated, answerable, rules, options);
    result.difference = compare(plain, calibrated, options);
  }
  return result;
}

}  // namespace act::tasks
