// Which data a result was made from: the hash that heads files keep and that act-eval compares.
#pragma once

#include <string>

namespace act::tasks {
struct task;
}

namespace act_program {

/// SHA-256 of a task's file; for tasks that read several, of their hashes in reading order.
[[nodiscard]] std::string data_sha256(const act::tasks::task& task, const std::string& path);

}  // namespace act_program
