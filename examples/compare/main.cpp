// act-compare: several heads files on the same samples, beside the plain model and beside what labelled
// samples can do for its scores alone.
#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/parallel.hpp>
#include <act/report/comparison_report.hpp>
#include <act/report/heads_json.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/comparison.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/stored/resumed_scores.hpp>
#include <act/tasks/stored/score_state.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compare/compared_heads.hpp"
#include "compare/groups.hpp"
#include "compare/logged.hpp"
#include "compare/options.hpp"
#include "compare/scoring.hpp"
#include "compare/state.hpp"
#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace {

using namespace act_program;

// The data file's samples that are scored, and how many were left out.
std::pair<std::vector<act::tasks::sample>, std::size_t> chosen_samples(
    const act::tasks::task& task, const std::vector<compared_heads>& heads, const compare_options& options) {
  const std::vector<act::tasks::sample> all = act::tasks::read_samples(task, options.data);
  std::set<std::size_t> seen;
  for (const compared_heads& each : heads) {
    if (!options.include_search_samples) seen.insert(each.seen.begin(), each.seen.end());
  }
  std::vector<act::tasks::sample> chosen;
  std::size_t left_out = 0;
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.limit, options.seed)) {
    if (seen.contains(index)) {
      ++left_out;
    } else {
      chosen.push_back(all[index]);
    }
  }
  if (chosen.empty()) {
    throw act::error(
        act::error_code::invalid_input, options.data,
        "every chosen sample was used to find heads; score other samples, or pass --include-search-samples");
  }
  return {std::move(chosen), left_out};
}

std::vector<act::tasks::compared_row> compare(const std::vector<group>& groups,
                                              const std::vector<group_scores>& all,
                                              const std::vector<compared_heads>& heads,
                                              const compare_options& options) {
  const act::statistics::bootstrap_options resampled{.seed = options.seed};
  std::vector<std::vector<act::tasks::compared_row>> of_heads(heads.size());
  std::vector<act::tasks::compared_row> rows;
  for (std::size_t number = 0; number < groups.size(); ++number) {
    const group& each = groups[number];
    const act::tasks::scores_of_each& scores = all[number].compared.scores();
    // No head is calibrated: the plain scores.
    std::vector<const act::statistics::score_table*> of(heads.size(), &scores.plain);
    for (std::size_t i = 0; i < each.heads.size(); ++i) {
      if (!heads[each.heads[i]].calibration.heads.empty()) of[each.heads[i]] = &scores.calibrated[i];
    }
    const std::vector<std::size_t> labels = act::tasks::labels_of(each.samples);
    const std::size_t answers = act::tasks::most_answers(each.samples);
    for (std::size_t place = 0; place < each.fitting.size(); ++place) {
      const fitting_set& set = each.fitting[place];
      const act::tasks::scores_of_each& fitted = all[number].fitting[place].scores();
      const auto rows_of = [&](std::string name, const act::statistics::score_table& scored,
                               const act::statistics::score_table& fitting) {
        return act::tasks::compare({.name = std::move(name),
                                    .scores = scored,
                                    .fitting_scores = fitting,
                                    .fitting_labels = act::tasks::labels_of(set.samples)},
                                   scores.plain, labels, answers, scores.with_other, resampled);
      };
      // Plain maps are as many as there are sets of samples to fit them on; the plain scores themselves are
      // one.
      for (act::tasks::compared_row& row : rows_of("plain", scores.plain, fitted.plain)) {
        if (rows.empty() || row.map) rows.push_back(std::move(row));
      }
      for (std::size_t i = 0; i < set.heads.size(); ++i) {
        const compared_heads& one = heads[set.heads[i]];
        of_heads[set.heads[i]] = rows_of(one.path, *of[set.heads[i]],
                                         one.calibration.heads.empty() ? fitted.plain : fitted.calibrated[i]);
      }
    }
  }
  for (std::vector<act::tasks::compared_row>& each : of_heads) {
    for (act::tasks::compared_row& row : each)
      rows.push_back(std::move(row));
  }
  return rows;
}

void run(const command_line& line, const compare_options& options) {
  const act::report::provenance_clock clock;
  std::vector<std::string> inputs{options.common.model, options.data};
  inputs.insert(inputs.end(), options.heads.begin(), options.heads.end());
  check_outputs({{"--json", options.common.json}, {"--state", options.state}}, inputs);
  act::set_thread_count(options.common.threads);
  const act::tasks::task task = options.scoring.final_space.applied_to(act::tasks::find_task(options.task));
  if (task.kind == act::tasks::task_kind::open_ended) {
    throw act::error(
        act::error_code::invalid_option, "--task",
        "'" + task.name + "' has generated answers; compare these with act-eval, one heads file a run");
  }
  const std::string scoring = options.scoring.name_for(task);
  if (options.maps && options.scoring.rule() == act::tasks::scoring_rule::greedy) {
    throw act::error(act::error_code::invalid_option, "--maps",
                     "maps labels' scores, of which --scoring greedy has none; leave one of them out");
  }
  const std::string sha256 = act::tasks::data_sha256(task, options.data);
  const std::vector<compared_heads> heads = read_compared_heads(options, task, sha256);
  const auto [chosen, left_out] = chosen_samples(task, heads, options);

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  check_model(heads, identity, options.force);
  passed_over passed{.searched = left_out};
  const std::vector<group> groups = groups_of(heads, task, chosen, loaded, options, passed);
  const std::size_t n = groups.front().samples.size();
  std::optional<act::tasks::score_state> state = open_state(options.state, identity);
  const std::vector<act::tasks::compared_row> rows =
      compare(groups, score(loaded.model, groups, heads, state ? &*state : nullptr, options), heads, options);

  if (!options.common.json.empty()) {
    act::io::json_document document =
        act::io::json_document::object({{"task", task.name}, {"scoring", scoring}, {"n", n}});
    document.set("rows", act::report::to_json(rows));
    auto calibrated = act::io::json_document::array();
    for (const compared_heads& each : heads) {
      auto one = act::io::json_document::object({{"name", each.path}});
      act::report::add_heads(one, each.calibration);
      calibrated.push_back(std::move(one));
    }
    document.set("heads_files", std::move(calibrated));
    options.scoring.special_tokens.add_to(document);
    options.scoring.final_space.add_to(document, task);
    passed.add_to(document);
    document.set("model", act::runtime::to_json(identity));
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", sha256}}));
    write_result(options.common.json, std::move(document), line, clock);
  }
  std::cout << task.name << ": " << n << " samples of " << options.data << '\n'
            << passed.remarks() << '\n'
            << act::report::comparison_table(rows, n);
  const bool mapped = std::any_of(rows.begin(), rows.end(),
                                  [](const act::tasks::compared_row& row) { return row.map.has_value(); });
  if (options.maps && !mapped) {
    std::cout
        << "No map: fitting one takes ten searched samples of two labels or more, and the same number of "
           "answers in all.\n";
  }
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  if (compares_files(count, arguments)) return compare_files(count, arguments);
  command_line line(
      "Several heads files on the same samples, beside the plain model and beside what labelled samples can "
      "do for its "
      "scores alone.",
      "act-compare");
  compare_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
