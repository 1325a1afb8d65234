#include <act/runtime/generate.hpp>
#include <act/tasks/generate_answers.hpp>
#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace act::tasks {

generated_answers generate_answers(const runtime::model& with, const runtime::tokenizer& by,
                                   std::span<const prepared_sample> questions,
                                   const runtime::model_calibration& calibration, std::size_t max_new_tokens,
                                   const std::function<void()>& on_token,
                                   const std::function<void()>& on_question) {
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
