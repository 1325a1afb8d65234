// act-eval --task squad: generated answers, plain and calibrated, by exact match and F1.
#pragma once

namespace act::tasks {
struct task;
}

namespace act_program {

class command_line;
struct eval_options;

void evaluate_questions(const command_line& line, const act::tasks::task& task, const eval_options& options);

}  // namespace act_program
