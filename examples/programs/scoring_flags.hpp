// Options that say how samples are scored and what happens to long prompts.
#pragma once

#include <act/tasks/choice_names.hpp>

#include <string>

namespace act::tasks {
enum class long_prompts;
enum class scoring_rule;
struct task;
}  // namespace act::tasks

namespace act_program {

class command_line;

/// What messages call the choices that these options make.
inline constexpr act::tasks::choice_names flag_names{.scoring = "--scoring",
                                                     .long_prompts = "--long-prompts",
                                                     .subset = "--subset",
                                                     .redistribution = "--redistribution"};

/// What happens to prompts that are longer than the model's context.
struct long_prompts_flag {
  std::string long_prompts = "error";

  void add_to(command_line& line);

  [[nodiscard]] act::tasks::long_prompts policy() const;
};

/// How samples are scored and what happens to long prompts.
struct scoring_flags : long_prompts_flag {
  std::string scoring = "default";

  void add_to(command_line& line);

  [[nodiscard]] act::tasks::scoring_rule rule() const;

  /// The rule's name for a task: labels, letters, greedy or likelihood. Throws act::error (invalid_option)
  /// for one that the task doesn't have.
  [[nodiscard]] std::string name_for(const act::tasks::task& task) const;
};

}  // namespace act_program
