// How a program ends: part of the contract with scripts.
#pragma once

namespace act_program {

inline constexpr int exit_done = 0;
inline constexpr int exit_bad_input = 1;
inline constexpr int exit_wrong_usage = 2;
inline constexpr int exit_interrupted = 130;

}  // namespace act_program
