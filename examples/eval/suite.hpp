// act-eval SUITE.toml: many models, tasks and ways of calibrating into one store.
#pragma once

namespace act_program {

/// Whether the command line names a suite file, which then stands for all other options of act-eval.
[[nodiscard]] bool names_a_suite(int count, char** arguments);

/// The program's exit code.
[[nodiscard]] int evaluate_suite(int count, char** arguments);

}  // namespace act_program
