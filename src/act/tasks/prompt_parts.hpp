// Where a prompt's question, its choices and its instruction stand, in bytes and in tokens: what
// redistribution::subset asks for (the paper's table 7), and column_choice::span. Multiple choice has all of
// them; in a classification prompt the sample's own text is the question. Which text is scored, and how a
// prompt is cut, is prepare.hpp.
//
// No tokenizer says where in the text its tokens come from, so positions are found by tokenising the prompt
// up to each end: what both token lists begin with lies before it. That holds for every kind of tokenizer,
// whatever it does to spaces and characters.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/choice_names.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/prompt_part.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

/// Bytes [begin, end) of a prompt.
struct text_range {
  std::size_t begin = 0, end = 0;

  friend bool operator==(const text_range&, const text_range&) = default;
};

/// Throws error (invalid_option) for a task whose prompts don't have the part, or don't say where it is. Its
/// where() is `asked_by`, what asked for the part; called.subset when empty.
void check_part(const task& of, prompt_part part, const choice_names& called = {},
                std::string_view asked_by = {});

/// Where the part of the asked sample (not of the shots) stands in `prompt`, which is build_prompt's of it:
/// ascending, none of them empty. Throws as check_part.
[[nodiscard]] std::vector<text_range> part_ranges(const task& of, const sample& asked,
                                                  std::string_view prompt, prompt_part part);

/// The same in the text with one of the sample's options when its likelihood is scored (likelihood.hpp): that
/// text shows no other choice than the option itself. `built` is build_likelihood_prompt's of the sample.
[[nodiscard]] std::vector<text_range> part_ranges(const task& of, const sample& asked,
                                                  const likelihood_prompt& built, std::size_t option,
                                                  prompt_part part);

/// Positions of the tokens that hold any byte of `ranges` but whole ones before or behind them; ascending.
/// `tokens` is by.encode(text, written). A token across a range's beginning belongs to it, one across its end
/// doesn't. Throws as encode. Cost: two encodings a range.
[[nodiscard]] std::vector<std::size_t> token_positions(const runtime::tokenizer& by, std::string_view text,
                                                       std::span<const runtime::token_id> tokens,
                                                       std::span<const text_range> ranges,
                                                       runtime::special_tokens_in_text written);

}  // namespace act::tasks
