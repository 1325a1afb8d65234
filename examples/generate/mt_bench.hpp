// act-generate --mt-bench: answers to MT-Bench's questions, in a file that is gone on from.
#pragma once

#include <vector>

namespace act::report {
class provenance_clock;
}
namespace act::runtime {
struct loaded_model;
struct model_calibration;
}  // namespace act::runtime
namespace act::tasks {
struct mt_bench_question;
}

namespace act_program {

class command_line;
struct generate_options;

/// Answers every question's turns, one conversation each. The file always holds the answers so far; those
/// that the same command gave before are kept. Throws act::error (mismatch) where it holds another's.
void answer_mt_bench(const command_line& line, generate_options& options,
                     const act::report::provenance_clock& clock,
                     const std::vector<act::tasks::mt_bench_question>& questions,
                     const act::runtime::loaded_model& loaded,
                     const act::runtime::model_calibration& calibration);

}  // namespace act_program
