#include <act/error.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/scoring_names.hpp>
#include <act/tasks/task.hpp>

#include <string>
#include <string_view>

namespace act::tasks {

scoring_rule scoring_named(std::string_view name) noexcept {
  if (name == "greedy") return scoring_rule::greedy;
  return name == "likelihood" ? scoring_rule::likelihood : scoring_rule::words;
}

std::string scoring_name_for(const task& of, std::string_view name, std::string_view where) {
  const bool letters = of.kind == task_kind::multiple_choice;
  const bool options = letters || of.kind == task_kind::verbatim;
  const std::string usual = letters ? "letters" : "labels";
  std::string chosen = name == "default" ? usual : std::string(name);
  if (chosen != usual && chosen != "greedy" && !(chosen == "likelihood" && options)) {
    throw error(error_code::invalid_option, where,
                "task '" + of.name + "' is scored by " + usual +
                    (options ? ", greedy or likelihood" : " or greedy") + ", not " + chosen);
  }
  return chosen;
}

}  // namespace act::tasks
