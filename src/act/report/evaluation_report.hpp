// An evaluation as JSON for programs, and as a table and a sentence for people. Both are made from the same
// value.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/way_names.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace act::runtime {
class tokenizer;
}
namespace act::tasks {
struct accuracy_difference;
struct accuracy_summary;
struct evaluation;
struct prepared_sample;
struct sample_scores;
}  // namespace act::tasks

namespace act::report {

/// `{"n", "labels", "baseline", "contextual"?, "calibrated"?, "difference"?, "contextual_difference"?}`, with
/// the name of another label prior for contextual;
/// accuracies are fractions. Of several runs the means, with `mcnemar_p` null. The second way goes by its
/// name.
[[nodiscard]] io::json_document to_json(const tasks::evaluation& result, const way_names& names = {});

/// One way of scoring; `with_other` (greedy scoring): how many samples were answered by none of the labels,
/// too.
[[nodiscard]] io::json_document summary_json(const tasks::accuracy_summary& summary, bool with_other);

/// One way of scoring less another.
[[nodiscard]] io::json_document difference_json(const tasks::accuracy_difference& difference);

/// One line a way of scoring, with its uncertainty.
[[nodiscard]] std::string evaluation_table(const tasks::evaluation& result, const way_names& names = {});

/// How often each label is right and how often it is answered: a label prior shows here. For tasks with fixed
/// labels; with greedy scoring the last column says how often the answer was none of them.
[[nodiscard]] std::string answers_table(const tasks::evaluation& result, std::span<const std::string> words,
                                        const way_names& names = {});

/// Greedy scoring, in one line: how many samples were answered by none of their answers. Else empty.
[[nodiscard]] std::string other_answers(const tasks::evaluation& result);

/// In one sentence: which of accuracy and AUC moved, and what that means. Empty without a calibrated pass.
[[nodiscard]] std::string verdict(const tasks::evaluation& result);

/// What a predictions file says of how its lines were made.
struct prediction_source {
  const runtime::tokenizer& by;
  std::string compute = {};  ///< the model's (model_identity): in each line, unless float32
  std::optional<std::uint64_t> shot_seed = {};  ///< of a few-shot run
};

/// One line of a predictions file: sample `i` of a run. With likelihood scoring, `option_tokens` are the
/// tokens scored for each option, and a score is their log-probability a byte. With greedy scoring a score
/// is the largest logit of the answer's tokens, `other` that of any other token, and `prediction` is null
/// where that is the largest. `prompt` is the text that the prompt's tokens stand for.
[[nodiscard]] std::string prediction_line(const tasks::prepared_sample& sample,
                                          const tasks::sample_scores& scores, std::size_t i,
                                          const prediction_source& made_by);

}  // namespace act::report
