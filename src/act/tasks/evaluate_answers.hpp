// Sums up generated answers, plain and calibrated: exact match and F1, of all questions and of those with and
// without an answer, their difference and how sure it is. Each answer's own score is squad_metrics.hpp; the
// table and the JSON are report/answers_report.hpp.
#pragma once

#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/tasks/squad_metrics.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace act::tasks {

/// Means over some questions.
struct answer_means {
  std::size_t n = 0;
  double exact_match = 0;
  statistics::interval exact_match_ci95;  ///< Wilson's
  double f1 = 0;
  std::optional<statistics::interval> f1_ci95;  ///< bootstrap over the questions; empty for a single one
};

/// One way of answering, summed up.
struct answers_summary {
  answer_means all;
  std::optional<answer_means> has_answer;  ///< version 2.0, where there are such questions
  std::optional<answer_means> no_answer;
};

/// Calibrated less plain, over the same questions.
struct answers_difference {
  double exact_match = 0;
  std::optional<statistics::interval> exact_match_ci95;  ///< paired bootstrap; empty for a single question
  double f1 = 0;
  std::optional<statistics::interval> f1_ci95;  ///< the same
  std::size_t gained = 0, lost = 0;             ///< exact matches
  double mcnemar_p = 1;                         ///< of these; exact, two-sided
};

struct answers_evaluation {
  std::size_t n = 0;
  squad_rules rules = squad_rules::v1;
  answers_summary baseline;
  std::optional<answers_summary> calibrated;
  std::optional<answers_difference> difference;
};

/// `plain[i]` and, unless empty, `calibrated[i]` are question i's scores; `answerable[i]` says whether it has
/// an answer. Throws error (invalid_shape) where sizes differ. Deterministic by `options.seed`.
[[nodiscard]] answers_evaluation evaluate_answers(std::span<const squad_score> plain,
                                                  std::span<const squad_score> calibrated,
                                                  const std::vector<bool>& answerable, squad_rules rules,
                                                  const statistics::bootstrap_options& options = {});

}  // namespace act::tasks
