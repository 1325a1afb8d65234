// Scoring by the likelihood of each option's own text instead of a letter: the texts to score. Small models
// answer lettered questions at chance; this shows what they know. Only the strings: tokens and
// log-probabilities are the caller's.
#pragma once

#include <act/tasks/choice_names.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

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

/// The sample's part of the context: no lettered list.
[[nodiscard]] std::string likelihood_body(const task& of, const sample& shown);

/// Multiple choice: context = instruction + "\n\n" + shots + question + "\nAnswer:", continuation = " " +
/// option, shot = question + "\nAnswer: " + right option + "\n\n". A file of one's own (verbatim): its prompt
/// and its options as they are. Throws error (unsupported) for tasks without options of their own, and
/// (invalid_input) where fill does.
[[nodiscard]] likelihood_prompt build_likelihood_prompt(const task& of, const sample& asked,
                                                        std::span<const sample> shots = {},
                                                        const choice_names& called = {});

}  // namespace act::tasks
