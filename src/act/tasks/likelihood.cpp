#include <act/error.hpp>
#include <act/tasks/likelihood.hpp>
#include <act/tasks/prompts.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace act::tasks {

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

}  // namespace act::tasks
