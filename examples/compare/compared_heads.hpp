// The heads files that act-compare compares, and the samples that their heads were found on.
#pragma once

#include <act/runtime/model_calibration.hpp>
#include <act/tasks/prompt_part.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace act::runtime {
struct model_identity;
}
namespace act::tasks {
struct task;
}

namespace act_program {

struct compare_options;

/// One heads file.
struct compared_heads {
  std::string path;
  act::runtime::model_calibration calibration;
  std::optional<act::tasks::prompt_part>
      subset;                ///< which part of each prompt redistribution::subset gives to, or a span is
  std::string fitting_file;  ///< where maps' samples come from; empty: no maps
  std::vector<std::size_t> fitting_samples;  ///< positions in it
  std::vector<std::size_t> seen;             ///< positions in the data file that the search has seen
};

/// Reads every file of --heads. `data_sha256` is the data file's. Throws act::error for files that can't be
/// read, for one named twice, and, with --maps, for a file that doesn't say which samples of the task it has
/// seen or whose data have changed.
[[nodiscard]] std::vector<compared_heads> read_compared_heads(const compare_options& options,
                                                              const act::tasks::task& task,
                                                              const std::string& data_sha256);

/// Throws act::error (mismatch) for heads of another model, unless `force`.
void check_model(const std::vector<compared_heads>& heads, const act::runtime::model_identity& model,
                 bool force);

}  // namespace act_program
