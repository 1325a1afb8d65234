// act-generate --chat without a prompt: a conversation on the terminal, or with what is piped in.
#pragma once

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

/// Answers each line of standard input in turn, in one conversation, until that ends or a line is /exit. A
/// line that is /new begins another conversation, one that ends with a backslash goes on in the next. On a
/// terminal Ctrl-C ends an answer, and the program where there is none.
void hold_conversation(const command_line& line, generate_options& options,
                       const act::report::provenance_clock& clock, const act::runtime::loaded_model& loaded,
                       const act::runtime::model_calibration& calibration);

}  // namespace act_program
