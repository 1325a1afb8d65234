// What act-inspect looks at: one prompt's sinks, or a data set's, averaged.
#pragma once

namespace act_program {

class command_line;
struct inspect_options;

/// --prompt and --prompt-file.
void inspect_prompt(const command_line& line, const inspect_options& options);

/// --task.
void inspect_data(const command_line& line, const inspect_options& options);

}  // namespace act_program
