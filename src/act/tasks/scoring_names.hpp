// The names that command lines and suites use for how samples are scored, in one place.
#pragma once

#include <string>
#include <string_view>

namespace act::tasks {

struct task;
enum class scoring_rule;

/// "default" (labels or letters, whichever the task has), "labels", "letters", "greedy" or "likelihood".
[[nodiscard]] scoring_rule scoring_named(std::string_view name) noexcept;

/// The rule's name for a task: labels, letters, greedy or likelihood. Throws error (invalid_option) at
/// `where` for one that the task doesn't have.
[[nodiscard]] std::string scoring_name_for(const task& of, std::string_view name, std::string_view where);

}  // namespace act::tasks
