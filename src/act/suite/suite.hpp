// A suite: which models are evaluated on which tasks, with which heads calibrated, beside which baselines.
// Values only; suite_file.hpp reads them from TOML, run_suite.hpp runs them.
#pragma once

#include <act/io/json_document.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/search/selection/rule.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace act::suite {

/// A checkpoint.
struct suite_model {
  std::string name;  ///< as tables call it
  std::string path;
  runtime::compute_type compute = runtime::compute_type::f32;
};

/// A task with its files, asked in one way.
struct suite_task {
  std::string name;  ///< as tables call it; the task's own unless one task is there several times
  tasks::task task;  ///< as it is asked
  std::string data;  ///< the samples that are scored
  /// Where the labelled samples come from that heads are searched and maps are fitted on; `data` when empty,
  /// whose labelled samples then aren't scored.
  std::string labelled_data;
  std::string shot_data;
  std::int64_t limit = 0;     ///< samples scored; 0: all
  std::int64_t labelled = 0;  ///< labelled samples; 0: none
  std::vector<std::size_t> shots{0};
  std::size_t shot_seeds = 5;  ///< runs with other shots, of which results are the mean
  bool balanced_shots = false;
  std::string scoring = "labels";  ///< the rule's name for this task
  tasks::long_prompts policy = tasks::long_prompts::refuse;
  bool final_space = true;
  bool special_tokens = false;
  std::size_t max_new_tokens = 32;

  [[nodiscard]] bool generates() const noexcept { return task.kind == tasks::task_kind::open_ended; }
  [[nodiscard]] const std::string& file_of_labelled() const noexcept {
    return labelled_data.empty() ? data : labelled_data;
  }
};

/// What a search for a [[heads]] entry is like; it runs on its tasks' labelled samples, without shots.
struct suite_search {
  std::vector<std::string> tasks;  ///< names; all that aren't generated when empty
  std::int64_t samples = 0;        ///< so many of each task's labelled samples; 0: all
  bool each_task = false;          ///< one search a task, whose heads are calibrated on that task alone
  std::string layers;              ///< a range's text
  std::string select;              ///< a rule's text
  std::string objective;           ///< by its name
  search::selection_rule rule;     ///< what both say
  bool ranked = false;             ///< by estimates (search/ranked_search.hpp); else exact
  double budget = 0;               ///< ranked_options::budget
};

/// One way of calibrating: heads of a file, or of a search that is run first.
struct suite_heads {
  std::string name;                 ///< as tables call it
  std::vector<std::string> models;  ///< names; all when empty
  std::vector<std::string> tasks;   ///< names; all when empty
  std::string file;                 ///< "{model}" and "{task}" stand for their names; empty: a search
  std::optional<suite_search> search;
  io::json_document options = io::json_document::object();  ///< as a heads file has them, over the file's
  io::json_document varied = io::json_document::object();   ///< the same, but not for a search: its heads are
                                                            ///< those that `options` find
  double share = 1;             ///< of the heads so many are calibrated, drawn by the suite's seed
  bool decoding = true;         ///< runtime::model_calibration::decoding
  bool generated_sinks = true;  ///< runtime::model_calibration::generated_sinks
  bool force = false;           ///< heads of another checkpoint are accepted
  std::string where;            ///< FILE:LINE, for messages
};

/// What stands beside the plain model and calibrated heads.
struct suite_baselines {
  bool contextual = false, batch = false, domain = false;  ///< label priors, without labels
  bool bias = false, linear = false;                       ///< maps, fitted on the labelled samples

  [[nodiscard]] bool maps() const noexcept { return bias || linear; }
};

struct suite {
  std::string path;      ///< of its file
  std::string ablation;  ///< which ablation of that file's suite it is; empty: that itself
  std::string store;     ///< where results go
  std::uint64_t seed = 0;
  suite_baselines baselines;
  std::vector<suite_model> models;
  std::vector<suite_task> tasks;
  std::vector<suite_heads> heads;
};

}  // namespace act::suite
