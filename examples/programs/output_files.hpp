// Where results go: checked before the work, so that a result that has nowhere to go is noticed first.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace act_program {

/// Throws act::error unless every output can be written where it should go and overwrites nothing that the
/// program reads or writes itself. `outputs`: option and path, empty paths aside; `inputs`: what is read.
void check_outputs(const std::vector<std::pair<std::string, std::string>>& outputs,
                   const std::vector<std::string>& inputs);

}  // namespace act_program
