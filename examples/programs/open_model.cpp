#include "programs/open_model.hpp"

#include <cstdio>
#include <string>

#include "programs/command_line.hpp"
#include "programs/program.hpp"

namespace act_program {

act::runtime::loaded_model open_model(const command_line& line, const common_options& options) {
  act::runtime::loaded_model loaded = act::runtime::load_model(options.model, options.compute_type());
  if (!options.quiet)
    for (const std::string& notice : loaded.notices)
      std::fprintf(stderr, "%s: note: %s\n", line.name().c_str(), notice.c_str());
  return loaded;
}

}  // namespace act_program
