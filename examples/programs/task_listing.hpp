// --list-tasks, for the programs that have --task.
#pragma once

#include <string>

namespace act_program {

class command_line;

/// Prints the listing and ends the program.
void add_task_listing(command_line& line);

/// A line for each task: name, how it is answered, its labels, how its data file is written.
[[nodiscard]] std::string task_listing();

}  // namespace act_program
