#include "compare/compared_heads.hpp"

#include <act/error.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <iostream>
#include <utility>

#include "compare/options.hpp"
#include "programs/files.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// The task's own part of what a search has seen.
void find_fitting_samples(compared_heads& heads, const act::search::heads_file& file,
                          const act::tasks::task& task) {
  for (act::search::searched_file& each : act::search::searched_files(file)) {
    if (each.task != task.name) continue;
    if (!heads.fitting_file.empty()) {
      throw act::error(act::error_code::unsupported, heads.path,
                       "was searched on two files of " + task.name + ", '" + heads.fitting_file + "' and '" +
                           each.file + "'; --maps fits on the samples of one: leave it out");
    }
    heads.fitting_file = each.file;
    heads.fitting_samples = std::move(each.samples);
    if (act::tasks::data_sha256(task, heads.fitting_file) != each.sha256) {
      throw act::error(
          act::error_code::mismatch, heads.fitting_file,
          "has changed since '" + heads.path + "' was searched on it; search again, or leave --maps out");
    }
  }
  if (heads.fitting_file.empty() || heads.fitting_samples.empty()) {
    throw act::error(act::error_code::invalid_input, heads.path,
                     "doesn't say on which samples of " + task.name +
                         " its heads were found, which --maps fits on; leave --maps out");
  }
}

}  // namespace

std::vector<compared_heads> read_compared_heads(const compare_options& options, const act::tasks::task& task,
                                                const std::string& data_sha256) {
  std::vector<compared_heads> all;
  for (const std::string& path : options.heads) {
    if (std::any_of(all.begin(), all.end(), [&](const compared_heads& each) { return each.path == path; }))
      throw act::error(act::error_code::invalid_option, "--heads", "names '" + path + "' twice");
    const act::search::heads_file file = act::search::read_heads_file(path);
    compared_heads heads{.path = path,
                         .calibration = {.heads = file.heads,
                                         .options = file.options.value_or(act::calibration_options{}),
                                         .masks = file.masks,
                                         .strengths = file.strengths},
                         .subset = file.subset,
                         .fitting_file = {},
                         .fitting_samples = {},
                         .seen = act::search::searched_samples(file, data_sha256)};
    if (heads.subset) {
      const act::calibration_options& options_in_force = heads.calibration.options;
      const bool spans = options_in_force.columns == act::column_choice::span;
      act::tasks::check_part(task, *heads.subset, flag_names_for(options_in_force),
                             path + (spans ? ": options.columns" : ": options.subset"));
    }
    if (options.maps) find_fitting_samples(heads, file, task);
    all.push_back(std::move(heads));
  }
  return all;
}

void check_model(const std::vector<compared_heads>& heads, const act::runtime::model_identity& model,
                 bool force) {
  for (const compared_heads& each : heads) {
    const act::search::heads_file file = act::search::read_heads_file(each.path);
    if (act::search::check_fit(file, model, each.path, force, "--force") ==
        act::search::fingerprint_check::absent) {
      std::cerr << "act-compare: " << each.path << ": has no fingerprint, so it may be another model's\n";
    }
    say_other_compute("act-compare", each.path, file.model, model);
  }
}

}  // namespace act_program
