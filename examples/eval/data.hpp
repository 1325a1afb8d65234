// The data file that act-eval reads, and which of its samples are scored.
#pragma once

#include <act/tasks/sample.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::tasks {
struct task;
}

namespace act_program {

class chosen_heads;
struct eval_options;

/// A task's data file.
struct scored_data {
  std::vector<act::tasks::sample> all;     ///< its samples
  std::string sha256;                      ///< its hash, as `data_sha256` makes it
  std::vector<act::tasks::sample> chosen;  ///< those to score
  std::size_t left_out = 0;                ///< samples that --limit chose and that the heads were found on
};

/// Chosen are those of --limit but for, unless --include-search-samples, those that the heads were found on.
/// Throws act::error for a file that can't be read, and when no sample is left.
[[nodiscard]] scored_data read_data(const act::tasks::task& task, const chosen_heads& heads,
                                    const eval_options& options);

}  // namespace act_program
