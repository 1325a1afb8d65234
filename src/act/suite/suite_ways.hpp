// The ways of calibrating that a suite's [[heads]] give a model: read from files, or searched first.
#pragma once

#include <act/io/json_document.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_run.hpp>
#include <act/suite/store.hpp>
#include <act/suite/suite.hpp>
#include <act/suite/task_data.hpp>
#include <act/tasks/prompt_part.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace act::suite {

/// One way of calibrating the samples of one task.
struct calibrated_way {
  std::string name;  ///< the [[heads]] entry's
  runtime::model_calibration calibration;
  std::optional<tasks::prompt_part> part;  ///< of each prompt, whose positions the calibration wants
  std::set<std::size_t> seen;              ///< positions in the task's `data` that its heads were found on
  io::json_document record;                ///< heads, their hash, options, and whence they are
  std::string search = {};                 ///< where the store has what they were found by; empty: of a file
  bool known = true;                       ///< false: its heads are still to be searched
};

/// The files of every task, by the task's name.
using all_task_data = std::map<std::string, task_data, std::less<>>;

/// A search that is about to run, or goes on: what it is called, for progress.
struct search_listener {
  std::function<void(const std::string& name)> begins = {};
  search::search_progress advanced = {};
};

class suite_ways {
 public:
  /// Everything must outlive it.
  suite_ways(const suite& of, const suite_model& model, const runtime::loaded_model& loaded,
             const runtime::model_identity& identity, const all_task_data& data);

  /// Those of a task. Throws error for heads files that can't be read or are another model's, and
  /// (unsupported, invalid_option) for calibration that the task's prompts or a decoder don't have.
  /// `searches`: runs what isn't in `results` yet, with their states in a folder beside it; none: such ways
  /// come out unknown.
  [[nodiscard]] std::vector<calibrated_way> of_task(const suite_task& task, store& results,
                                                    const search_listener* searches);

 private:
  [[nodiscard]] calibrated_way way_of(const suite_heads& heads, const suite_task& task,
                                      const search::heads_file& file, const std::string& name) const;
  struct found_file {
    std::string search;  ///< where the store has it
    search::heads_file file;
  };
  [[nodiscard]] std::optional<found_file> searched(const suite_heads& heads, const suite_task& task,
                                                   store& results, const search_listener* searches);
  [[nodiscard]] search::search_plan plan_of(const suite_heads& heads,
                                            const std::vector<std::string>& tasks) const;

  const suite& of_;
  const suite_model& model_;
  const runtime::loaded_model& loaded_;
  const runtime::model_identity& identity_;
  const all_task_data& data_;
};

}  // namespace act::suite
