// act-inspect --prompt: one prompt's sinks.
#pragma once

namespace act_program {

class command_line;
struct inspect_options;

void inspect_prompt(const command_line& line, const inspect_options& options);

}  // namespace act_program
