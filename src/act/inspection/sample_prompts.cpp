#include <act/error.hpp>
#include <act/inspection/sample_prompts.hpp>
#include <act/tasks/prompts.hpp>

#include <utility>

namespace act::inspection {

sample_prompts prompts_of(const tasks::task& of, std::span<const tasks::sample> samples,
                          const runtime::tokenizer& by, std::size_t context, tasks::long_prompts policy,
                          runtime::special_tokens_in_text written, const std::string& file,
                          const tasks::choice_names& called) {
  sample_prompts made;
  for (const tasks::sample& each : samples) {
    const std::string where = file + ": sample " + std::to_string(each.index);
    std::vector<runtime::token_id> tokens = by.encode(build_prompt(of, each), written);
    if (tokens.empty()) throw error(error_code::invalid_input, where, "has no tokens; remove it");
    if (tokens.size() > context) {
      if (policy == tasks::long_prompts::refuse) {
        throw error(error_code::invalid_input, where,
                    "its prompt has " + std::to_string(tokens.size()) + " tokens, the model's context is " +
                        std::to_string(context) + "; use " + std::string(called.long_prompts) +
                        " skip or truncate-left");
      }
      if (policy == tasks::long_prompts::skip) {
        ++made.skipped;
        continue;
      }
      tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(context));
      ++made.truncated;
    }
    made.prompts.push_back(std::move(tokens));
  }
  return made;
}

}  // namespace act::inspection
