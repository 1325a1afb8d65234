// A task's samples as the prompts that are looked at: tokens only, nothing to score. For inspection over a
// data set; what evaluation needs besides is in tasks/prepare.hpp.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/choice_names.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::inspection {

struct sample_prompts {
  std::vector<std::vector<runtime::token_id>> prompts;
  std::size_t skipped = 0;    ///< samples left out by long_prompts::skip
  std::size_t truncated = 0;  ///< prompts shortened by long_prompts::truncate_left
};

/// The prompt of every sample, without shots, with what the tokenizer usually adds around a text. Any kind of
/// task. `written` says what special tokens written out in samples are. `context` is the model's longest
/// sequence; `file` and `called` are for messages. Throws `error` (invalid_input), naming the sample, for a
/// prompt that is too long (unless told otherwise) or has no tokens.
[[nodiscard]] sample_prompts prompts_of(const tasks::task& of, std::span<const tasks::sample> samples,
                                        const runtime::tokenizer& by, std::size_t context,
                                        tasks::long_prompts policy, runtime::special_tokens_in_text written,
                                        const std::string& file, const tasks::choice_names& called = {});

}  // namespace act::inspection
