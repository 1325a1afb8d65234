// act-inspect --predictability: how well heads' vectors are linear maps of each other's.
#pragma once

namespace act_program {

class command_line;
struct inspect_options;

void inspect_predictability(const command_line& line, const inspect_options& options);

}  // namespace act_program
