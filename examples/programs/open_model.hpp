// How a program opens its --model.
#pragma once

#include <act/runtime/load_model.hpp>

namespace act_program {

class command_line;
struct common_options;

/// Loads the model that `options` name and shows, a line each on stderr, what its files say that was passed
/// over for something else; not with --quiet. Throws as `load_model`.
[[nodiscard]] act::runtime::loaded_model open_model(const command_line& line, const common_options& options);

}  // namespace act_program
