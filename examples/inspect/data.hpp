// act-inspect --task: a data set's sinks, averaged.
#pragma once

namespace act_program {

class command_line;
struct inspect_options;

void inspect_data(const command_line& line, const inspect_options& options);

}  // namespace act_program
