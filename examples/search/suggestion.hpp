// The command that act-search suggests after a search of some layers: one of all of them.
#pragma once

#include <string>

namespace act_program {

class command_line;
struct search_options;

/// Searches the default range, with everything else as it was given.
[[nodiscard]] std::string full_range_command(const command_line& line, const search_options& options);

}  // namespace act_program
