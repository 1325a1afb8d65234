// Answers in the model's own words: the greedy continuation of each question's prompt, plain and calibrated.
// For open-ended tasks (squad); what the answers are worth is evaluate_answers.hpp.
#pragma once

#include <act/runtime/generate.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace act::tasks {

/// One a question, up to the first newline, the end of text or the most tokens allowed.
struct generated_answers {
  std::vector<runtime::generation> plain;
  std::vector<runtime::generation> calibrated;  ///< empty when no head is calibrated
};

/// Calibrated answers are decoded in the streaming form (decoder.hpp). Each token is chosen greedily, so the
/// result is the same every time. `on_token` is called after each token and may throw to interrupt,
/// `on_question` after each question. Throws `error` as generate does. Cost: a pass over each prompt and one
/// over the weights for each token, for each of the two.
[[nodiscard]] generated_answers generate_answers(const runtime::model& with, const runtime::tokenizer& by,
                                                 std::span<const prepared_sample> questions,
                                                 const runtime::model_calibration& calibration,
                                                 std::size_t max_new_tokens,
                                                 const std::function<void()>& on_token = {},
                                                 const std::function<void()>& on_question = {});

/// The same into `answers`, which are empty before: when a callback throws, the questions that were answered
/// whole stay in them.
void generate_answers(const runtime::model& with, const runtime::tokenizer& by,
                      std::span<const prepared_sample> questions,
                      const runtime::model_calibration& calibration, std::size_t max_new_tokens,
                      generated_answers& answers, const std::function<void()>& on_token,
                      const std::function<void()>& on_question);

}  // namespace act::tasks
