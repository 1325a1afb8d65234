// What --profile prints.
#pragma once

#include <act/runtime/products/profile.hpp>

#include <string>

namespace act_program {

/// A line for each kind of work that was done: calls, seconds, its share, GFLOP/s, and GB/s of weights (or
/// keys and values) read.
[[nodiscard]] std::string profile_table(const act::runtime::runtime_profile& of);

}  // namespace act_program
