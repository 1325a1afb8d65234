#include "programs/data_identity.hpp"

#include <act/io/sha256.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/task.hpp>

namespace act_program {

std::string data_sha256(const act::tasks::task& task, const std::string& path) {
  const auto files = act::tasks::files_of(task, path);
  if (files.size() == 1) return act::io::sha256_of_file(files.front());
  act::io::sha256 digest;
  for (const auto& file : files)
    digest.update(act::io::sha256_of_file(file));
  return digest.hex();
}

}  // namespace act_program
