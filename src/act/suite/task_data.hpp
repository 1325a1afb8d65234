// The files of a suite's task, read once, and which of their samples are scored and which are labelled.
#pragma once

#include <act/suite/suite.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace act::suite {

struct task_data {
  std::vector<tasks::sample> all;           ///< of `data`
  std::vector<tasks::sample> labelled_all;  ///< of its own file; empty where that is `data`
  std::vector<tasks::sample> shot_pool;     ///< empty without shots
  std::string sha256, labelled_sha256, shots_sha256;
  std::vector<std::size_t> labelled;  ///< positions in their file, ascending

  [[nodiscard]] bool one_file() const noexcept { return labelled_sha256 == sha256; }
  [[nodiscard]] std::vector<tasks::sample> labelled_samples() const;
};

/// Throws error for files that can't be read, and (invalid_input) where fewer samples are there than are to
/// be labelled, or none is left to score.
[[nodiscard]] task_data read_task_data(const suite_task& task, std::uint64_t seed);

/// The samples to score: of those that are neither labelled nor in `seen` (positions in `data`) the task's
/// limit, chosen as act-eval's --limit does, in file order. Throws error (invalid_input) when none is left.
[[nodiscard]] std::vector<tasks::sample> scored_samples(const suite_task& task, const task_data& data,
                                                        const std::set<std::size_t>& seen,
                                                        std::uint64_t seed);

}  // namespace act::suite
