// Where a prompt's question and its choices stand, in bytes and in tokens: what redistribution::subset asks
// for (the paper's table 7). For multiple choice, the only kind whose prompt has both.
//
// No tokenizer says where in the text its tokens come from, so positions are found by tokenising the prompt
// up to each end: what both token lists begin with lies before it. That holds for every kind of tokenizer,
// whatever it does to spaces and characters.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::inline ACT_ABI {

enum class prompt_part {
  question,  ///< the asked sample's question
  choices,   ///< its options' texts, without their letters
};

/// Bytes [begin, end) of a prompt.
struct text_range {
  std::size_t begin = 0, end = 0;

  friend bool operator==(const text_range&, const text_range&) = default;
};

/// Where the part of the asked sample (not of the shots) stands in `prompt`, which is build_prompt's of it:
/// ascending, none of them empty. Throws error (unsupported) for a task without such parts.
[[nodiscard]] inline std::vector<text_range> part_ranges(const task& of, const sample& asked,
                                                         std::string_view prompt, prompt_part part) {
  if (of.kind != task_kind::multiple_choice) {
    throw error(error_code::unsupported, "subset",
                "task '" + of.name +
                    "' has no question with a list of choices; use another redistribution, or a "
                    "multiple-choice task");
  }
  // The sample's own part ends the prompt.
  std::size_t at = prompt.size() - detail::prompt_body(of, asked).size();
  const std::size_t question = fill(of.pattern, asked).size();
  std::vector<text_range> ranges;
  const auto add = [&](std::size_t size) {
    if (size > 0) ranges.push_back({at, at + size});
    at += size;
  };
  if (part == prompt_part::question) {
    add(question);
    return ranges;
  }
  at += question;
  for (std::size_t i = 0; i < asked.choices.size(); ++i) {
    at += std::string_view("\nA. ").size();
    add(asked.choices[i].size());
  }
  return ranges;
}

/// Positions of the tokens that hold any byte of `ranges` but whole ones before or behind them; ascending.
/// `tokens` is by.encode(text). A token across a range's beginning belongs to it, one across its end doesn't.
/// Throws as encode. Cost: two encodings a range.
[[nodiscard]] inline std::vector<std::size_t> token_positions(const tokenizer& by, std::string_view text,
                                                              std::span<const token_id> tokens,
                                                              std::span<const text_range> ranges) {
  const auto before = [&](std::size_t end) {
    const std::vector<token_id> alone = by.encode(text.substr(0, end));
    const auto differs = std::mismatch(tokens.begin(), tokens.end(), alone.begin(), alone.end());
    return static_cast<std::size_t>(differs.first - tokens.begin());
  };
  std::vector<std::size_t> positions;
  for (const text_range& range : ranges) {
    const std::size_t end = before(range.end);
    for (std::size_t at = before(range.begin); at < end; ++at) {
      if (positions.empty() || positions.back() < at) positions.push_back(at);
    }
  }
  return positions;
}

}  // namespace act::inline ACT_ABI
