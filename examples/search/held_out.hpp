// What act-search searches on: the samples of its held-out files.
#pragma once

#include <act/search/plan.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <string>
#include <vector>

#include "programs/result_file.hpp"

namespace act::runtime {
struct loaded_model;
}

namespace act_program {

struct search_options;

struct task_file {
  act::tasks::task task;  ///< as it is asked
  std::string file;
};

/// Reads --task. Throws act::error (invalid_option) for what isn't NAME=FILE, tasks that can't be searched,
/// tasks whose prompts don't have the part that the calibration wants or the space that is left out, and a
/// file that is named twice.
[[nodiscard]] std::vector<task_file> parse_tasks(const search_options& options,
                                                 const act::tasks::named_calibration& calibration);

/// One file's part of the held-out set, as text.
struct chosen_samples {
  act::search::search_source source;
  std::vector<act::tasks::sample> samples;
};

/// Throws act::error for files that can't be read and scoring that a task doesn't have.
[[nodiscard]] std::vector<chosen_samples> choose_samples(const std::vector<task_file>& tasks,
                                                         const search_options& options);

/// Makes the samples ready for the model and adds them to the plan. Throws act::error when none is left.
[[nodiscard]] passed_over add_samples(act::search::search_plan& plan, const std::vector<task_file>& tasks,
                                      const std::vector<chosen_samples>& chosen,
                                      const act::runtime::loaded_model& loaded,
                                      const search_options& options);

}  // namespace act_program
