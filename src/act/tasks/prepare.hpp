// From samples to token ids: the prompt with its shots, and what is scored at its end.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/choice_names.hpp>
#include <act/tasks/greedy_answers.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_part.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// What to do with a prompt that is longer than the model's context.
enum class long_prompts {
  refuse,         ///< an error that names the sample
  skip,           ///< leave the sample out and count it
  truncate_left,  ///< keep the end: what is asked stands there
};

/// What is compared at a prompt's end.
enum class scoring_rule {
  words,       ///< logits of the label words or letters
  likelihood,  ///< log-probability a byte of each option's own text, without a list of letters
  greedy,      ///< the one most likely token of all; right when it is the label word or letter
  generated,   ///< open-ended: nothing is compared, text is generated after the prompt
};

/// How samples are asked.
struct asking {
  scoring_rule scoring = scoring_rule::words;
  std::function<std::vector<sample>(const sample&)> shots = {};  ///< those shown before a sample; unset: none
  const tokens_by_text* vocabulary = nullptr;  ///< greedy: the tokenizer's; unset: made in each call
  /// What special tokens written out in samples, shots and scored words are.
  runtime::special_tokens_in_text special_tokens = runtime::special_tokens_in_text::are_text;
  std::size_t new_tokens = 0;  ///< generated: the most an answer may have, for which a prompt leaves room
  std::optional<prompt_part> subset =
      {};                    ///< whose positions redistribution::subset or a span needs; unset: none
  choice_names called = {};  ///< in messages
};

struct prepared_samples {
  std::vector<prepared_sample> samples;
  std::size_t skipped = 0;    ///< samples left out by long_prompts::skip
  std::size_t truncated = 0;  ///< prompts shortened by long_prompts::truncate_left
};

/// Tokenises the samples' prompts, in one call each with what the tokenizer usually adds around a text, and
/// what is scored at their end. `context` is the model's longest sequence; `file` is for messages. Throws
/// `error` (invalid_input), naming the sample, for a prompt that is too long (unless told otherwise), for
/// words that can't be told apart, for options without tokens, for a text that has none of `how.subset` (or
/// none left, cut) and, greedy, for words that no single token says; (unsupported) for a task that the
/// scoring doesn't fit; (invalid_option) as check_part.
[[nodiscard]] prepared_samples prepare(const task& of, std::span<const sample> samples,
                                       const runtime::tokenizer& by, std::size_t context, long_prompts policy,
                                       const std::string& file, const asking& how = {});

}  // namespace act::tasks
