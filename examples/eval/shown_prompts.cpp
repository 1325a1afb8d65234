#include "eval/shown_prompts.hpp"

#include <act/report/token_text.hpp>
#include <act/runtime/scored_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <iostream>
#include <string>

namespace act_program {

namespace {

std::string listed(std::span<const act::runtime::token_id> tokens, const act::runtime::tokenizer& by) {
  std::string text;
  for (const act::runtime::token_id each : tokens)
    text += " " + std::to_string(each) + " " + act::report::quoted_token(by, each);
  return text;
}

}  // namespace

void show_prompts(std::span<const act::tasks::prepared_sample> samples, const act::runtime::tokenizer& by,
                  std::size_t count) {
  for (const act::tasks::prepared_sample& sample : samples.first(std::min(count, samples.size()))) {
    std::cout << "--- prompt of sample " << sample.index << ", " << sample.prompt.size() << " tokens\n"
              << by.decode(sample.prompt) << "\n--- tokens" << listed(sample.prompt, by) << '\n';
    const std::size_t answers = sample.words.empty() ? sample.options.size() : sample.words.size();
    for (std::size_t i = 0; i < answers; ++i) {
      const std::span<const act::runtime::token_id> scored =
          sample.words.empty() ? std::span(sample.options[i].tokens).subspan(sample.options[i].first_scored)
                               : std::span(sample.words).subspan(i, 1);
      std::cout << "--- answer " << i << listed(scored, by) << (i == sample.label ? " (right)" : "") << '\n';
    }
  }
  if (count > 0) std::cout << '\n' << std::flush;
}

}  // namespace act_program
