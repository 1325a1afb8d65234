#include "eval/samples.hpp"

#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "eval/data.hpp"
#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "eval/runs.hpp"
#include "programs/passed_over.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// All that a result is told from.
struct scored_task {
  const act::tasks::task& task;
  std::string scoring;  ///< the rule's name
  const chosen_heads& heads;
  const shot_pool& pool;
  const prepared_runs& prepared;
  const std::vector<act::tasks::sample_scores>& scores;
  passed_over passed;
  std::vector<std::size_t> labels;
  std::size_t answers;
  act::tasks::evaluation result;
};

act::statistics::bootstrap_options resampled(const eval_options& options) {
  return {.seed = options.seed};
}

std::string prediction_lines(const prepared_runs& prepared,
                             const std::vector<act::tasks::sample_scores>& scores) {
  std::string lines;
  for (std::size_t run = 0; run < scores.size(); ++run) {
    const seed_run& of = prepared.runs[run];
    for (std::size_t i = 0; i < of.samples.size(); ++i)
      lines += act::report::prediction_line(of.samples[i], scores[run], i, of.shot_seed);
  }
  return lines;
}

act::io::json_document document_of(const scored_task& all, const eval_options& options) {
  act::io::json_document document =
      act::io::json_document::object({{"task", all.task.name}, {"scoring", all.scoring}});
  document.update(act::report::to_json(all.result));
  if (options.shots > 0) {
    document.set("shots",
                 act::io::json_document::object(
                     {{"count", options.shots}, {"file", options.shot_data}, {"sha256", all.pool.sha256}}));
    auto per_seed = act::io::json_document::array();
    for (std::size_t run = 0; run < all.scores.size(); ++run) {
      act::io::json_document one =
          act::io::json_document::object({{"shot_seed", *all.prepared.runs[run].shot_seed}});
      one.update(act::report::to_json(
          act::tasks::evaluate(all.labels, all.answers, {&all.scores[run], 1}, resampled(options))));
      per_seed.push_back(std::move(one));
    }
    document.set("per_seed", std::move(per_seed));
  }
  all.passed.add_to(document);
  return document;
}

void print(const scored_task& all, const eval_options& options) {
  std::cout << all.task.name << ": " << all.result.n << " samples of " << options.data << all.heads.remark();
  if (all.scoring == "likelihood") std::cout << ", scored by likelihood";
  if (all.scoring == "greedy") std::cout << ", scored by the greedy token";
  std::cout << '\n';
  if (options.shots > 0) {
    std::cout << options.shots << " shots of " << options.shot_data;
    if (all.result.runs > 1) std::cout << ", the mean over " << all.result.runs << " seeds";
    std::cout << '\n';
  }
  std::cout << all.passed.remarks();
  std::cout << '\n' << act::report::evaluation_table(all.result);
  if (all.result.difference && all.result.difference->mcnemar_p) {
    std::cout << "McNemar's exact test of the difference: p = "
              << act::report::formatted("%.3g", *all.result.difference->mcnemar_p) << '\n';
  }
  if (all.task.kind == act::tasks::task_kind::classification) {
    std::cout << '\n' << act::report::answers_table(all.result, all.task.label_words);
  } else if (all.result.with_other) {
    std::cout << act::report::other_answers(all.result) << '\n';
  }
  if (!all.heads.calibration().heads.empty()) std::cout << '\n' << act::report::verdict(all.result) << '\n';
  std::cout << all.heads.nothing_to_calibrate();
}

}  // namespace

void evaluate_samples(const command_line& line, const act::tasks::task& task, const eval_options& options) {
  const act::report::provenance_clock clock;
  std::string scoring = options.scoring.name_for(task);
  chosen_heads heads(options);
  heads.check_subset(task);

  // What is cheap to check comes before the model is loaded.
  const scored_data data = read_data(task, heads, options);
  const shot_pool pool = read_shots(task, options, line);

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  const prepared_runs prepared = prepare_runs({.task = task,
                                               .samples = data.chosen,
                                               .tokenizer = *loaded.tokenizer,
                                               .context = loaded.model.config.context,
                                               .subset = heads.subset()},
                                              pool, options, data.sha256);
  const std::vector<act::tasks::sample_scores> scores =
      score_runs(loaded.model, prepared, heads.calibration(), options.common.quiet);

  const std::vector<act::tasks::prepared_sample>& samples = prepared.runs.front().samples;
  std::vector<std::size_t> labels = act::tasks::labels_of(samples);
  const std::size_t answers = act::tasks::most_answers(samples);
  act::tasks::evaluation result = act::tasks::evaluate(labels, answers, scores, resampled(options));
  const scored_task all{
      .task = task,
      .scoring = std::move(scoring),
      .heads = heads,
      .pool = pool,
      .prepared = prepared,
      .scores = scores,
      .passed = {.searched = data.left_out, .too_long = prepared.skipped, .truncated = prepared.truncated},
      .labels = std::move(labels),
      .answers = answers,
      .result = std::move(result)};

  if (!options.predictions.empty())
    act::io::write_file(options.predictions, prediction_lines(prepared, scores));
  if (!options.common.json.empty()) {
    act::io::json_document document = document_of(all, options);
    add_calibrated_model(document, heads.calibration(), identity, heads.subset());
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", data.sha256}}));
    write_result(options.common.json, std::move(document), line, clock);
  }
  print(all, options);
}

}  // namespace act_program
