// act-eval: a task's accuracy and AUC, plain and calibrated, with their uncertainty; generated answers' exact
// match and F1; a text's perplexity.
#include <act/io/atomic_file.hpp>
#include <act/report/evaluation_report.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "eval_heads.hpp"
#include "eval_options.hpp"
#include "eval_perplexity.hpp"
#include "eval_runs.hpp"
#include "eval_samples.hpp"
#include "eval_squad.hpp"
#include "main.hpp"
#include "passed_over.hpp"
#include "result_file.hpp"

namespace {

using namespace act_program;

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

void evaluate_samples(const CLI::App& app, const act::tasks::task& task, const eval_options& options) {
  const act::report::provenance_clock clock;
  const std::string scoring = options.scoring.name_for(task);
  chosen_heads heads(options);
  heads.check_subset(task);

  // What is cheap to check comes before the model is loaded.
  const scored_data data = read_data(task, heads, options);
  const shot_pool pool = read_shots(task, options, app);

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  const act::runtime::model_calibration& calibration = heads.calibration();
  const prepared_runs prepared = prepare_runs({.task = task,
                                               .samples = data.chosen,
                                               .tokenizer = *loaded.tokenizer,
                                               .context = loaded.model.config.context,
                                               .subset = heads.subset()},
                                              pool, options, data.sha256);
  const passed_over passed{
      .searched = data.left_out, .too_long = prepared.skipped, .truncated = prepared.truncated};
  const std::vector<act::tasks::sample_scores> scores =
      score_runs(loaded.model, prepared, calibration, options.common.quiet);

  const std::vector<act::tasks::prepared_sample>& samples = prepared.runs.front().samples;
  const std::vector<std::size_t> labels = act::tasks::labels_of(samples);
  const std::size_t answers = act::tasks::most_answers(samples);
  const act::statistics::bootstrap_options resampling{.seed = options.seed};
  const act::tasks::evaluation result = act::tasks::evaluate(labels, answers, scores, resampling);

  if (!options.predictions.empty())
    act::io::write_file(options.predictions, prediction_lines(prepared, scores));
  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{{"task", task.name}, {"scoring", scoring}};
    document.update(act::report::to_json(result));
    if (options.shots > 0) {
      document["shots"] = {{"count", options.shots}, {"file", options.shot_data}, {"sha256", pool.sha256}};
      document["per_seed"] = nlohmann::ordered_json::array();
      for (std::size_t run = 0; run < scores.size(); ++run) {
        nlohmann::ordered_json one{{"shot_seed", *prepared.runs[run].shot_seed}};
        one.update(
            act::report::to_json(act::tasks::evaluate(labels, answers, {&scores[run], 1}, resampling)));
        document["per_seed"].push_back(std::move(one));
      }
    }
    passed.add_to(document);
    add_calibrated_model(document, calibration, identity, heads.subset());
    document["data"] = {{"file", options.data}, {"sha256", data.sha256}};
    write_result(options.common.json, std::move(document), app, clock);
  }

  std::cout << task.name << ": " << result.n << " samples of " << options.data << heads.remark();
  if (scoring == "likelihood") std::cout << ", scored by likelihood";
  if (scoring == "greedy") std::cout << ", scored by the greedy token";
  std::cout << '\n';
  if (options.shots > 0) {
    std::cout << options.shots << " shots of " << options.shot_data;
    if (result.runs > 1) std::cout << ", the mean over " << result.runs << " seeds";
    std::cout << '\n';
  }
  std::cout << passed.remarks();
  std::cout << '\n' << act::report::evaluation_table(result);
  if (result.difference && result.difference->mcnemar_p) {
    std::cout << "McNemar's exact test of the difference: p = "
              << act::report::detail::formatted("%.3g", *result.difference->mcnemar_p) << '\n';
  }
  if (task.kind == act::tasks::task_kind::classification) {
    std::cout << '\n' << act::report::answers_table(result, task.label_words);
  } else if (result.with_other) {
    std::cout << act::report::other_answers(result) << '\n';
  }
  if (!calibration.heads.empty()) std::cout << '\n' << act::report::verdict(result) << '\n';
  std::cout << heads.nothing_to_calibrate();
}

void run(const CLI::App& app, const eval_options& options) {
  check_usage(app, options);
  check_outputs({{"--json", options.common.json}, {"--predictions", options.predictions}},
                {options.common.model, options.data, options.heads, options.shot_data});
  act::set_thread_count(options.common.threads);
  if (options.task == perplexity_task) {
    evaluate_perplexity(app, options);
    return;
  }
  const act::tasks::task& task = act::tasks::find_task(options.task);
  if (task.kind == act::tasks::task_kind::open_ended) {
    evaluate_questions(app, task, options);
  } else {
    evaluate_samples(app, task, options);
  }
}

}  // namespace

int act_eval(int count, char** arguments) {
  CLI::App app{
      "Accuracy and AUC of a task, plain and calibrated, with their uncertainty; of generated answers exact "
      "match and F1; of a text the perplexity.",
      "act-eval"};
  eval_options options;
  declare(app, options);
  return main_of(app, count, arguments, [&] { run(app, options); });
}
