// From a task and a sample to the exact text that is tokenised, and to the words whose logits are compared.
// Pure string work: no tokenizer, no model, no chat template. The whole prompt is one string, tokenised in
// one call.
#pragma once

#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

/// Calls take(text, is_field) for the pieces that a filled pattern consists of, in order: the values of its
/// names, and the pattern's own characters. Throws as fill.
void for_each_piece(std::string_view pattern, const sample& from,
                    const std::function<void(std::string_view text, bool is_field)>& take);

/// `pattern` with each `{name}` replaced by the sample's field of that name. One pass: braces inside a value
/// stay as they are, and so does a brace that doesn't open a name. Throws error (invalid_input) for a name
/// the sample lacks.
[[nodiscard]] std::string fill(std::string_view pattern, const sample& from);

/// "A", "B", ... by position. Throws error (invalid_input) from the 27th on.
[[nodiscard]] std::string choice_letter(std::size_t position);

/// The words scored after the sample's prompt, in label order: the task's label words; " A", " B", ... for as
/// many options as the sample has; or the file's own options. Empty for open-ended tasks.
[[nodiscard]] std::vector<std::string> scored_words(const task& of, const sample& scored);

/// One sample's part of the prompt, up to where its answer goes.
[[nodiscard]] std::string prompt_body(const task& of, const sample& shown);

/// The prompt of one sample, after `shots` in the order given. Layouts:
///   classification   instruction + shots + pattern          shot = pattern + label word + "\n\n"
///   multiple choice  instruction + "\n\n" + shots + body    shot = body + " " + letter + "\n\n"
///   open-ended       instruction + shots + pattern          shot = pattern + " " + first answer + "\n\n"
///   verbatim         shots + the file's prompt              shot = prompt + right option + "\n\n"
/// where body = question + "\nA. " + first option + ... + "\nAnswer:". A classification pattern ends with a
/// space and its label word begins with one, so a shot reads `Sentiment:  positive`: the authors' layout,
/// kept. Fields named by the instruction (mmlu's subject, squad's paragraph) are the sample's, not the
/// shots'. Throws error (invalid_input) where fill does, and for a shot whose label the task doesn't have.
[[nodiscard]] std::string build_prompt(const task& of, const sample& asked,
                                       std::span<const sample> shots = {});

}  // namespace act::tasks
