#include "search/held_out.hpp"

#include <act/error.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "programs/files.hpp"
#include "search/options.hpp"

namespace act_program {

namespace {

// "sst2=train.tsv".
task_file parse_task(const std::string& each, const final_space_flag& final_space) {
  const std::size_t equals = each.find('=');
  if (equals == std::string::npos || equals + 1 == each.size()) {
    throw act::error(act::error_code::invalid_option, "--task",
                     "'" + each + "' isn't NAME=FILE, for example sst2=train.tsv");
  }
  act::tasks::task task = act::tasks::find_task(each.substr(0, equals));
  if (task.kind == act::tasks::task_kind::open_ended) {
    throw act::error(
        act::error_code::invalid_option, "--task",
        "'" + task.name +
            "' can't be searched: its answers are generated, so each of thousands of trials would "
            "take a generation; search on another task");
  }
  return {final_space.applied_to(std::move(task)), each.substr(equals + 1)};
}

chosen_samples choose(const task_file& from, const search_options& options) {
  const std::vector<act::tasks::sample> all = act::tasks::read_samples(from.task, from.file);
  chosen_samples chosen;
  chosen.source = {.task = from.task.name,
                   .file = from.file,
                   .sha256 = act::tasks::data_sha256(from.task, from.file),
                   .scoring = options.scoring.name_for(from.task),
                   .special_tokens = options.scoring.special_tokens.name(),
                   .final_space = {},
                   .indices = {}};
  if (from.task.kind == act::tasks::task_kind::classification)
    chosen.source.final_space = !options.scoring.final_space.left_out;
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.samples, options.seed)) {
    chosen.source.indices.push_back(index);
    chosen.samples.push_back(all[index]);
  }
  return chosen;
}

}  // namespace

std::vector<task_file> parse_tasks(const search_options& options,
                                   const act::tasks::named_calibration& calibration) {
  std::vector<task_file> parsed;
  for (const std::string& each : options.tasks)
    parsed.push_back(parse_task(each, options.scoring.final_space));
  if (calibration.subset) {
    for (const task_file& each : parsed)
      act::tasks::check_part(each.task, *calibration.subset, flag_names_for(calibration.options));
  }
  std::vector<std::string> inputs{options.common.model};
  for (const task_file& each : parsed) {
    if (std::count(inputs.begin(), inputs.end(), each.file) > 0) {
      throw act::error(act::error_code::invalid_option, "--task", "names '" + each.file + "' twice");
    }
    inputs.push_back(each.file);
  }
  return parsed;
}

std::vector<chosen_samples> choose_samples(const std::vector<task_file>& tasks,
                                           const search_options& options) {
  std::vector<chosen_samples> chosen;
  for (const task_file& each : tasks)
    chosen.push_back(choose(each, options));
  return chosen;
}

passed_over add_samples(act::search::search_plan& plan, const std::vector<task_file>& tasks,
                        const std::vector<chosen_samples>& chosen, const act::runtime::loaded_model& loaded,
                        const search_options& options) {
  act::tasks::asking how_asked{.scoring = options.scoring.rule(),
                               .special_tokens = options.scoring.special_tokens.written(),
                               .subset = plan.subset,
                               .called = flag_names_for(plan.options)};
  std::optional<act::tasks::tokens_by_text> vocabulary;
  if (how_asked.scoring == act::tasks::scoring_rule::greedy)
    how_asked.vocabulary = &vocabulary.emplace(*loaded.tokenizer);
  passed_over passed;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    act::tasks::prepared_samples prepared =
        act::tasks::prepare(tasks[i].task, chosen[i].samples, *loaded.tokenizer, loaded.model.config.context,
                            options.scoring.policy(), tasks[i].file, how_asked);
    passed.too_long += prepared.skipped;
    passed.truncated += prepared.truncated;
    plan.sources.push_back(chosen[i].source);
    plan.samples.insert(plan.samples.end(), prepared.samples.begin(), prepared.samples.end());
    plan.source_of.resize(plan.samples.size(), i);
  }
  if (plan.samples.empty()) {
    throw act::error(act::error_code::invalid_input, tasks.front().file,
                     "no prompt fits the model's context");
  }
  plan.shuffle(options.seed);
  return passed;
}

}  // namespace act_program
