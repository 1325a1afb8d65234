// The texts of prompts: their layouts, with letters and by likelihood; where their parts stand; without
// content. A header declares each.
#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/prior.hpp>
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

void for_each_piece(std::string_view pattern, const sample& from,
                    const std::function<void(std::string_view, bool)>& take) {
  constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t name_end =
        pattern[at] == '{' ? pattern.find_first_not_of(name_characters, at + 1) : std::string_view::npos;
    if (name_end == std::string_view::npos || pattern[name_end] != '}' || name_end == at + 1) {
      take(pattern.substr(at++, 1), false);
      continue;
    }
    const std::string_view name = pattern.substr(at + 1, name_end - at - 1);
    const auto field = from.fields.find(name);
    if (field == from.fields.end()) {
      throw error(error_code::invalid_input, "sample " + std::to_string(from.index),
                  "has no field '" + std::string(name) +
                      "', which the task's pattern names; is it another task's file?");
    }
    take(std::string_view(field->second), true);
    at = name_end + 1;
  }
}

std::string fill(std::string_view pattern, const sample& from) {
  std::string text;
  for_each_piece(pattern, from, [&](std::string_view piece, bool) { text += piece; });
  return text;
}

std::string choice_letter(std::size_t position) {
  if (position >= 26) {
    throw error(error_code::invalid_input, "choices",
                "more than 26 options have no letters; use likelihood scoring");
  }
  return std::string(1, static_cast<char>('A' + position));
}

std::vector<std::string> scored_words(const task& of, const sample& scored) {
  switch (of.kind) {
    case task_kind::classification:
      return of.label_words;
    case task_kind::multiple_choice: {
      std::vector<std::string> words;
      for (std::size_t i = 0; i < scored.choices.size(); ++i) {
        words.push_back(" " + choice_letter(i));
      }
      return words;
    }
    case task_kind::verbatim:
      return scored.choices;
    case task_kind::open_ended:
      break;
  }
  return {};
}

std::string prompt_body(const task& of, const sample& shown) {
  std::string body = fill(of.pattern, shown);
  if (of.kind == task_kind::multiple_choice) {
    for (std::size_t i = 0; i < shown.choices.size(); ++i) {
      body += "\n" + choice_letter(i) + ". " + shown.choices[i];
    }
    body += "\nAnswer:";
  }
  return body;
}

namespace {

// What a shot shows after its body.
std::string shot_answer(const task& of, const sample& shown) {
  if (of.kind == task_kind::open_ended) {
    return " " + (shown.choices.empty() ? std::string("Not in background.") : shown.choices.front());
  }
  const std::vector<std::string> words = scored_words(of, shown);
  if (shown.label >= words.size()) {
    throw error(error_code::invalid_input, "shot " + std::to_string(shown.index),
                "its label is none of the task's labels; is it another task's file?");
  }
  return words[shown.label];
}

}  // namespace

std::string build_prompt(const task& of, const sample& asked, std::span<const sample> shots) {
  std::string prompt = fill(of.instruction, asked);
  if (of.kind == task_kind::multiple_choice) {
    prompt += "\n\n";
  }
  for (const sample& shot : shots) {
    prompt += prompt_body(of, shot) + shot_answer(of, shot) + "\n\n";
  }
  return prompt + prompt_body(of, asked);
}

std::string likelihood_body(const task& of, const sample& shown) {
  return fill(of.pattern, shown) + (of.kind == task_kind::multiple_choice ? "\nAnswer:" : "");
}

namespace {

std::string likelihood_continuation(const task& of, const std::string& option) {
  return of.kind == task_kind::multiple_choice ? " " + option : option;
}

}  // namespace

likelihood_prompt build_likelihood_prompt(const task& of, const sample& asked, std::span<const sample> shots,
                                          const choice_names& called) {
  if (of.kind != task_kind::multiple_choice && of.kind != task_kind::verbatim) {
    throw error(error_code::unsupported, "scoring",
                "task '" + of.name + "' has no options whose likelihood could be compared; use " +
                    std::string(called.scoring) + " labels");
  }
  likelihood_prompt built;
  built.context = fill(of.instruction, asked);
  if (of.kind == task_kind::multiple_choice) {
    built.context += "\n\n";
  }
  for (const sample& shot : shots) {
    built.context +=
        likelihood_body(of, shot) + likelihood_continuation(of, shot.choices.at(shot.label)) + "\n\n";
  }
  built.context += likelihood_body(of, asked);
  for (const std::string& option : asked.choices) {
    const std::string continuation = likelihood_continuation(of, option);
    const std::size_t space = continuation.starts_with(' ') ? 1 : 0;
    built.continuations.push_back(continuation);
    built.option_bytes.push_back(std::max<std::size_t>(continuation.size() - space, 1));
  }
  return built;
}

void check_part(const task& of, prompt_part part, const choice_names& called, std::string_view asked_by) {
  const std::string redistribution(called.redistribution);
  const auto refuse = [&](const std::string& why) {
    throw error(error_code::invalid_option, asked_by.empty() ? called.subset : asked_by,
                "task '" + of.name + "' " + why);
  };
  const bool has_instruction = !of.instruction.empty();
  switch (of.kind) {
    case task_kind::multiple_choice:
    case task_kind::classification:
      if (part == prompt_part::instruction && !has_instruction)
        refuse("has no instruction; use " + std::string(called.subset) + " question");
      if (part == prompt_part::choices && of.kind == task_kind::classification)
        refuse("shows no choices; use " + std::string(called.subset) +
               " question, or a multiple-choice task");
      return;
    case task_kind::verbatim:
      refuse("has prompts of its own, which don't say where the question is; use another " + redistribution);
      break;
    case task_kind::open_ended:
      refuse("has answers that are generated, and nobody looks for parts of its prompts; use another " +
             redistribution);
      break;
  }
}

namespace {

// Every prompt begins with the instruction.
std::vector<text_range> instruction_range(const task& of, const sample& asked) {
  const std::size_t size = fill(of.instruction, asked).size();
  return size > 0 ? std::vector<text_range>{{0, size}} : std::vector<text_range>{};
}

}  // namespace

std::vector<text_range> part_ranges(const task& of, const sample& asked, std::string_view prompt,
                                    prompt_part part) {
  check_part(of, part);
  if (part == prompt_part::instruction) return instruction_range(of, asked);
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
  if (part == prompt_part::instruction) return instruction_range(of, asked);
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
                                         std::span<const text_range> ranges,
                                         runtime::special_tokens_in_text written) {
  const auto before = [&](std::size_t end) {
    const std::vector<runtime::token_id> alone = by.encode(text.substr(0, end), written);
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

sample content_free(const task& of, sample emptied, bool keep_options, const std::string& file) {
  if (of.kind == task_kind::open_ended) {
    throw error(error_code::unsupported, "prior", "task '" + of.name + "' has no labels, so no label prior");
  }
  if (of.kind == task_kind::verbatim) {
    const auto prior = emptied.fields.find("prior_prompt");
    if (prior == emptied.fields.end()) {
      throw error(error_code::unsupported,
                  (file.empty() ? "" : file + ": ") + "sample " + std::to_string(emptied.index),
                  "has no \"prior_prompt\"; add the prompt without the sample's own text to its line");
    }
    emptied.fields["prompt"] = prior->second;
    return emptied;
  }
  for (auto& [name, text] : emptied.fields) {
    if (of.pattern.find("{" + name + "}") != std::string::npos) {
      text.clear();
    }
  }
  if (!keep_options) {
    for (std::string& choice : emptied.choices) {
      choice.clear();
    }
  }
  return emptied;
}

}  // namespace act::tasks
