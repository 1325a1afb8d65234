// act-generate --mt-bench: answers for MT-Bench.
#pragma once

#include <act/report/provenance.hpp>
#include <act/tasks/mt_bench.hpp>

#include <vector>

namespace act::runtime {
struct loaded_model;
struct model_calibration;
}  // namespace act::runtime

namespace act_program {

class command_line;
struct generate_options;

/// Answers every question's turns, one conversation each. The file always holds the answers so far.
void answer_mt_bench(const command_line& line, generate_options& options,
                     const act::report::provenance_clock& clock,
                     const std::vector<act::tasks::mt_bench_question>& questions,
                     const act::runtime::loaded_model& loaded,
                     const act::runtime::model_calibration& calibration);

}  // namespace act_program
