// An evaluation of generated answers as JSON for programs and as a table for people, both made from the same
// value, and a question's line in a predictions file.
#pragma once

#include <act/io/json_document.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace act::runtime {
struct generation;
}
namespace act::tasks {
struct answers_difference;
struct answers_evaluation;
struct answers_summary;
struct sample;
struct squad_score;
}  // namespace act::tasks

namespace act::report {

/// `{"n", "version", "baseline", "calibrated"?, "difference"?}`; exact match and F1 are fractions.
[[nodiscard]] io::json_document to_json(const tasks::answers_evaluation& result);

/// One way of answering.
[[nodiscard]] io::json_document summary_json(const tasks::answers_summary& summary);

/// One way of answering less another.
[[nodiscard]] io::json_document difference_json(const tasks::answers_difference& difference);

/// One line a way of answering; version 2.0 with the questions that have an answer and those that don't.
[[nodiscard]] std::string answers_table(const tasks::answers_evaluation& result);

/// What was answered to a question, and what that is worth.
struct answered_question {
  const runtime::generation& made;
  const tasks::squad_score& score;
};

/// One line of a predictions file: the gold answers (none: the question has none), the prompt as text (its
/// tokens decoded) and as tokens, and of each way the generated text, its tokens, why it ended, and its
/// scores. `compute`: the model's (model_identity), said unless float32.
[[nodiscard]] std::string prediction_line(const tasks::sample& question,
                                          const std::vector<runtime::token_id>& prompt_tokens,
                                          const runtime::tokenizer& by, const std::string& compute,
                                          const answered_question& plain,
                                          const std::optional<answered_question>& calibrated);

}  // namespace act::report
