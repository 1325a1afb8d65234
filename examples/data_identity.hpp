// Which data a result was made from: the hash that heads files keep and that act-eval compares.
#pragma once

#include <act/io/sha256.hpp>
#include <act/tasks/read_samples.hpp>

#include <string>

namespace act_program {

/// SHA-256 of a task's file; for tasks that read several, of their hashes in reading order.
inline std::string data_sha256(const act::tasks::task& task, const std::string& path) {
  const auto files = act::tasks::files_of(task, path);
  if (files.size() == 1) return act::io::sha256_of_file(files.front());
  act::io::sha256 digest;
  for (const auto& file : files)
    digest.update(act::io::sha256_of_file(file));
  return digest.hex();
}

}  // namespace act_program
