// From a task and a sample to the exact text that is tokenised, and to the words whose logits are compared.
// Pure string work: no tokenizer, no model, no chat template. The whole prompt is one string, tokenised in
// one call.
#pragma once

#include <act/error.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

namespace detail {

/// Calls take(text, is_field) for the pieces that a filled pattern consists of, in order: the values of its
/// names, and the pattern's own characters. Throws as fill.
template <class Take>
void for_each_piece(std::string_view pattern, const sample& from, Take&& take) {
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

}  // namespace detail

/// `pattern` with each `{name}` replaced by the sample's field of that name. One pass: braces inside a value
/// stay as they are, and so does a brace that doesn't open a name. Throws error (invalid_input) for a name
/// the sample lacks.
inline std::string fill(std::string_view pattern, const sample& from) {
  std::string text;
  detail::for_each_piece(pattern, from, [&](std::string_view piece, bool) { text += piece; });
  return text;
}

/// "A", "B", ... by position. Throws error (invalid_input) from the 27th on.
inline std::string choice_letter(std::size_t position) {
  if (position >= 26) {
    throw error(error_code::invalid_input, "choices",
                "more than 26 options have no letters; use likelihood scoring");
  }
  return std::string(1, static_cast<char>('A' + position));
}

/// The words scored after the sample's prompt, in label order: the task's label words; " A", " B", ... for as
/// many options as the sample has; or the file's own options. Empty for open-ended tasks.
inline std::vector<std::string> scored_words(const task& of, const sample& scored) {
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

namespace detail {

/// One sample's part of the prompt, up to where its answer goes.
inline std::string prompt_body(const task& of, const sample& shown) {
  std::string body = fill(of.pattern, shown);
  if (of.kind == task_kind::multiple_choice) {
    for (std::size_t i = 0; i < shown.choices.size(); ++i) {
      body += "\n" + choice_letter(i) + ". " + shown.choices[i];
    }
    body += "\nAnswer:";
  }
  return body;
}

/// What a shot shows after its body.
inline std::string shot_answer(const task& of, const sample& shown) {
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

}  // namespace detail

/// The prompt of one sample, after `shots` in the order given. Layouts:
///   classification   instruction + shots + pattern          shot = pattern + label word + "\n\n"
///   multiple choice  instruction + "\n\n" + shots + body    shot = body + " " + letter + "\n\n"
///   open-ended       instruction + shots + pattern          shot = pattern + " " + first answer + "\n\n"
///   verbatim         shots + the file's prompt              shot = prompt + right option + "\n\n"
/// where body = question + "\nA. " + first option + ... + "\nAnswer:". A classification pattern ends with a
/// space and its label word begins with one, so a shot reads `Sentiment:  positive`: the authors' layout,
/// kept. Fields named by the instruction (mmlu's subject, squad's paragraph) are the sample's, not the
/// shots'. Throws error (invalid_input) where fill does, and for a shot whose label the task doesn't have.
inline std::string build_prompt(const task& of, const sample& asked, std::span<const sample> shots = {}) {
  std::string prompt = fill(of.instruction, asked);
  if (of.kind == task_kind::multiple_choice) {
    prompt += "\n\n";
  }
  for (const sample& shot : shots) {
    prompt += detail::prompt_body(of, shot) + detail::shot_answer(of, shot) + "\n\n";
  }
  return prompt + detail::prompt_body(of, asked);
}

}  // namespace act::tasks
