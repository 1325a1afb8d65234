// Answers in the model's own words: the greedy continuation of each question's prompt, plain and calibrated.
// For open-ended tasks (squad); what the answers are worth is evaluate_answers.hpp.
#pragma once

#include <act/runtime/generate.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
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
[[nodiscard]] inline generated_answers generate_answers(
    const runtime::model& with, const runtime::tokenizer& by, std::span<const prepared_sample> questions,
    const runtime::model_calibration& calibration, std::size_t max_new_tokens,
    const std::function<void()>& on_token = {}, const std::function<void()>& on_question = {}) {
  const runtime::generation_options options{.max_new_tokens = max_new_tokens, .stops = {"\n"}};
  const auto token = [&](std::string_view) {
    if (on_token) on_token();
  };
  generated_answers answers;
  for (const prepared_sample& question : questions) {
    answers.plain.push_back(generate(with, by, question.prompt, {}, options, token));
    if (!calibration.heads.empty())
      answers.calibrated.push_back(generate(with, by, question.prompt, calibration, options, token));
    if (on_question) on_question();
  }
  return answers;
}

}  // namespace act::tasks
