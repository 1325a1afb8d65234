// act-eval --show-prompts: what the model is asked, as text and as tokens.
#pragma once

#include <act/tasks/prepared_sample.hpp>

#include <cstddef>
#include <span>

namespace act_program {

/// To standard output, the first `count` of the samples: each one's prompt as its tokens decode, its tokens,
/// and those that are scored for each answer. Nothing for a `count` of 0.
void show_prompts(std::span<const act::tasks::prepared_sample> samples, const act::runtime::tokenizer& by,
                  std::size_t count);

}  // namespace act_program
