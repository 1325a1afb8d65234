// act-compare A.jsonl B.jsonl: two runs from files, act-eval's or lm-eval's, without a model.
#pragma once

namespace act_program {

/// Whether the arguments ask for that: the first isn't an option.
[[nodiscard]] bool compares_files(int count, char** arguments);

/// The program then.
[[nodiscard]] int compare_files(int count, char** arguments);

}  // namespace act_program
