#include <act/error.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

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

}  // namespace act::tasks
