// A task's samples as the prompts that are looked at: tokens only, nothing to score. For inspection over a
// data set; what evaluation needs besides is in tasks/prepare.hpp.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace act::inspection {

struct sample_prompts {
  std::vector<std::vector<runtime::token_id>> prompts;
  std::size_t skipped = 0;    ///< samples left out by long_prompts::skip
  std::size_t truncated = 0;  ///< prompts shortened by long_prompts::truncate_left
};

/// The prompt of every sample, without shots, with the tokenizer's usual special tokens. Any kind of task.
/// `context` is the model's longest sequence; `file` is for messages. Throws `error` (invalid_input), naming
/// the sample, for a prompt that is too long (unless told otherwise) or has no tokens.
[[nodiscard]] inline sample_prompts prompts_of(const tasks::task& of, std::span<const tasks::sample> samples,
                                               const runtime::tokenizer& by, std::size_t context,
                                               tasks::long_prompts policy, const std::string& file) {
  sample_prompts made;
  for (const tasks::sample& each : samples) {
    const std::string where = file + ": sample " + std::to_string(each.index);
    std::vector<runtime::token_id> tokens = by.encode(build_prompt(of, each));
    if (tokens.empty()) throw error(error_code::invalid_input, where, "has no tokens; remove it");
    if (tokens.size() > context) {
      if (policy == tasks::long_prompts::refuse) {
        throw error(error_code::invalid_input, where,
                    "its prompt has " + std::to_string(tokens.size()) + " tokens, the model's context is " +
                        std::to_string(context) + "; use --long-prompts skip or truncate-left");
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
