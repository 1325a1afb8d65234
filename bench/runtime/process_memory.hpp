// What this process holds in memory, as the kernel counts it: for act_runtime_bench.
#pragma once

#include <cstddef>

namespace act_bench {

/// In bytes. 0 where the system doesn't say (only Linux does).
struct process_memory {
  std::size_t peak = 0;       ///< the most that was ever resident, mapped files among it
  std::size_t anonymous = 0;  ///< resident now and of no file: what the program allocated and wrote
  std::size_t file = 0;       ///< resident now of mapped files: the system may drop it
};

[[nodiscard]] process_memory memory_of_this_process();

}  // namespace act_bench
