// Which data a result was made from: the hash that heads files keep and that act-eval compares.
#pragma once

#include <act/report/sha256.hpp>
#include <act/tasks/read_samples.hpp>

#include <string>

namespace act_program {

/// SHA-256 of a task's file; for tasks that read several, of their hashes in reading order.
inline std::string data_sha256(const act::task& task, const std::string& path) {
  const auto files = act::files_of(task, path);
  if (files.size() == 1) return act::sha256_of_file(files.front());
  act::sha256 digest;
  for (const auto& file : files)
    digest.update(act::sha256_of_file(file));
  return digest.hex();
}

}  // namespace act_program
