#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

void check_part(const task& of, prompt_part part, const choice_names& called, std::string_view asked_by) {
  const std::string redistribution(called.redistribution);
  const auto refuse = [&](const std::string& why) {
    throw error(error_code::invalid_option, asked_by.empty() ? called.subset : asked_by,
                "task '" + of.name + "' " + why);
  };
  switch (of.kind) {
    case task_kind::multiple_choice:
      return;
    case task_kind::classification:
      if (part == prompt_part::choices)
        refuse("shows no choices; use " + std::string(called.subset) +
               " question, or a multiple-choice task");
      return;
    case task_kind::verbatim:
      refuse("has prompts of its own, which don't say where the question is; use another " + redistribution);
      break;
    case task_kind::open_ended:
      refuse("has answers that are generated, which know no other than " + redistribution + " proportional");
      break;
  }
}

std::vector<text_range> part_ranges(const task& of, const sample& asked, std::string_view prompt,
                                    prompt_part part) {
  check_part(of, part);
  // The sample's own part ends the prompt.
  std::size_t at = prompt.size() - prompt_body(of, asked).size();
  std::vector<text_range> ranges;
  const auto pass = [&](std::size_t size, bool wanted) {
    if (wanted && size > 0) ranges.push_back({at, at + size});
    at += size;
  };
  if (of.kind == task_kind::classification) {
    for_each_piece(of.pattern, asked,
                   [&](std::string_view piece, bool is_field) { pass(piece.size(), is_field); });
    return ranges;
  }
  pass(fill(of.pattern, asked).size(), part == prompt_part::question);
  for (const std::string& choice : asked.choices) {
    pass(std::string_view("\nA. ").size(), false);
    pass(choice.size(), part == prompt_part::choices);
  }
  return ranges;
}

std::vector<text_range> part_ranges(const task& of, const sample& asked, const likelihood_prompt& built,
                                    std::size_t option, prompt_part part) {
  check_part(of, part);
  const std::size_t end = built.context.size() + built.continuations.at(option).size();
  text_range found{end - asked.choices.at(option).size(), end};
  if (part == prompt_part::question) {
    found.begin = built.context.size() - likelihood_body(of, asked).size();
    found.end = found.begin + fill(of.pattern, asked).size();
  }
  if (found.begin == found.end) return {};
  return {found};
}

std::vector<std::size_t> token_positions(const runtime::tokenizer& by, std::string_view text,
                                         std::span<const runtime::token_id> tokens,
                                         std::span<const text_range> ranges) {
  const auto before = [&](std::size_t end) {
    const std::vector<runtime::token_id> alone = by.encode(text.substr(0, end));
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

}  // namespace act::tasks
