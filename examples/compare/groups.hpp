// What act-compare runs: the samples ready for the model, and with which heads files.
#pragma once

#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <vector>

namespace act::runtime {
struct loaded_model;
}
namespace act::tasks {
struct task;
}

namespace act_program {

struct compare_options;
struct compared_heads;
struct passed_over;

/// Samples that maps are fitted on, and the heads files whose they are.
struct fitting_set {
  std::vector<std::size_t> heads;  ///< numbers of heads files
  std::vector<act::tasks::prepared_sample> samples;
};

/// Heads files that are run together: their prompts give to the same part.
struct group {
  std::vector<std::size_t> heads;
  std::vector<act::tasks::prepared_sample> samples;
  std::vector<fitting_set> fitting;  ///< without maps one, of no samples
};

/// Groups of `heads` and their samples: `chosen`, and with --maps those that the heads were found on. Says in
/// `passed` what doesn't fit the model's context. Throws act::error (invalid_input) where no prompt does, and
/// (mismatch) for a heads file that names samples which its data file lacks.
[[nodiscard]] std::vector<group> groups_of(const std::vector<compared_heads>& heads,
                                           const act::tasks::task& task,
                                           const std::vector<act::tasks::sample>& chosen,
                                           const act::runtime::loaded_model& loaded,
                                           const compare_options& options, passed_over& passed);

}  // namespace act_program
