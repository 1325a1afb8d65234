// Scoring by the likelihood of each option's own text instead of a letter: the texts to score. Small models
// answer lettered questions at chance; this shows what they know. Only the strings: tokens and
// log-probabilities are the caller's.
#pragma once

#include <act/error.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// context + continuations[i] is tokenised in one call; the tokens of the continuation are those after as
/// many as the context alone has. Score of option i = sum of their log-probabilities / option_bytes[i]; the
/// largest wins.
struct likelihood_prompt {
  std::string context;
  std::vector<std::string> continuations;
  std::vector<std::size_t>
      option_bytes;  ///< bytes of the option's text without the space before it, at least 1
};

namespace detail {

/// The sample's part of the context: no lettered list.
inline std::string likelihood_body(const task& of, const sample& shown) {
  return fill(of.pattern, shown) + (of.kind == task_kind::multiple_choice ? "\nAnswer:" : "");
}

inline std::string likelihood_continuation(const task& of, const std::string& option) {
  return of.kind == task_kind::multiple_choice ? " " + option : option;
}

}  // namespace detail

/// Multiple choice: context = instruction + "\n\n" + shots + question + "\nAnswer:", continuation = " " +
/// option, shot = question + "\nAnswer: " + right option + "\n\n". A file of one's own (verbatim): its prompt
/// and its options as they are. Throws error (unsupported) for tasks without options of their own, and
/// (invalid_input) where fill does.
[[nodiscard]] inline likelihood_prompt build_likelihood_prompt(const task& of, const sample& asked,
                                                               std::span<const sample> shots = {}) {
  if (of.kind != task_kind::multiple_choice && of.kind != task_kind::verbatim) {
    throw error(
        error_code::unsupported, "scoring",
        "task '" + of.name + "' has no options whose likelihood could be compared; use --scoring labels");
  }
  likelihood_prompt built;
  built.context = fill(of.instruction, asked);
  if (of.kind == task_kind::multiple_choice) {
    built.context += "\n\n";
  }
  for (const sample& shot : shots) {
    built.context += detail::likelihood_body(of, shot) +
                     detail::likelihood_continuation(of, shot.choices.at(shot.label)) + "\n\n";
  }
  built.context += detail::likelihood_body(of, asked);
  for (const std::string& option : asked.choices) {
    const std::string continuation = detail::likelihood_continuation(of, option);
    const std::size_t space = continuation.starts_with(' ') ? 1 : 0;
    built.continuations.push_back(continuation);
    built.option_bytes.push_back(std::max<std::size_t>(continuation.size() - space, 1));
  }
  return built;
}

}  // namespace act::tasks
