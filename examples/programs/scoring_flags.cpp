#include "programs/scoring_flags.hpp"

#include <act/error.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/task.hpp>

#include "programs/command_line.hpp"

namespace act_program {

void long_prompts_flag::add_to(command_line& line) {
  line.add("--long-prompts", long_prompts,
           "A prompt longer than the model's context: error, skip, truncate-left")
      .one_of({"error", "skip", "truncate-left"})
      .show_default();
}

act::tasks::long_prompts long_prompts_flag::policy() const {
  if (long_prompts == "skip") return act::tasks::long_prompts::skip;
  return long_prompts == "truncate-left" ? act::tasks::long_prompts::truncate_left
                                         : act::tasks::long_prompts::refuse;
}

void scoring_flags::add_to(command_line& line) {
  line.add("--scoring", scoring,
           "labels (classification), letters (multiple choice), greedy (the one most likely token of "
           "all, which must say the label or letter), likelihood (of each option's own text); "
           "default: labels or letters, whichever the task has")
      .one_of({"default", "labels", "letters", "greedy", "likelihood"})
      .value_name("RULE");
  long_prompts_flag::add_to(line);
}

act::tasks::scoring_rule scoring_flags::rule() const {
  if (scoring == "greedy") return act::tasks::scoring_rule::greedy;
  return scoring == "likelihood" ? act::tasks::scoring_rule::likelihood : act::tasks::scoring_rule::words;
}

std::string scoring_flags::name_for(const act::tasks::task& task) const {
  const bool letters = task.kind == act::tasks::task_kind::multiple_choice;
  const bool options = letters || task.kind == act::tasks::task_kind::verbatim;
  const std::string usual = letters ? "letters" : "labels";
  const std::string name = scoring == "default" ? usual : scoring;
  if (name != usual && name != "greedy" && !(name == "likelihood" && options)) {
    throw act::error(act::error_code::invalid_option, "--scoring",
                     "task '" + task.name + "' is scored by " + usual +
                         (options ? ", greedy or likelihood" : " or greedy") + ", not " + name);
  }
  return name;
}

}  // namespace act_program
