// act-generate: one text, as it comes.
#pragma once

#include <string>

namespace act::report {
class provenance_clock;
}
namespace act::runtime {
struct loaded_model;
struct model_calibration;
}  // namespace act::runtime

namespace act_program {

class command_line;
struct generate_options;

/// Continues `asked`, or answers it in a chat, on standard output.
void write_text(const command_line& line, generate_options& options,
                const act::report::provenance_clock& clock, const std::string& asked,
                const act::runtime::loaded_model& loaded, const act::runtime::model_calibration& calibration);

}  // namespace act_program
