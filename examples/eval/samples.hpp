// act-eval over a task's samples: accuracy and AUC, plain and calibrated.
#pragma once

namespace act::tasks {
struct task;
}

namespace act_program {

class command_line;
struct eval_options;

void evaluate_samples(const command_line& line, const act::tasks::task& task, const eval_options& options);

}  // namespace act_program
