#include "eval/questions.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/report/answers_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/evaluate_answers.hpp>
#include <act/tasks/generate_answers.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/squad_metrics.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "eval/shown_prompts.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// Questions with their answers, and what these are worth.
struct answered_questions {
  std::vector<act::tasks::sample> questions;
  std::vector<act::tasks::prepared_sample> prompts;
  act::tasks::generated_answers answers;
  std::vector<act::tasks::squad_score> plain;
  std::vector<act::tasks::squad_score> calibrated;  ///< empty when no head is calibrated
  std::size_t chosen = 0;  ///< questions there are; after an interruption some aren't here
  bool interrupted = false;
};

void check_decodable(const act::tasks::task& task, const act::calibration_options& calibrated_by) {
  const bool decodes = calibrated_by.redistribute == act::redistribution::proportional ||
                       calibrated_by.redistribute == act::redistribution::renormalised;
  if (!decodes || calibrated_by.behave_as != act::compatibility::none) {
    throw act::error(act::error_code::unsupported, "--task " + task.name,
                     "decodes its answers, which knows proportional and renormalised redistribution and no "
                     "compatibility; calibrate with --redistribution proportional --compatibility none");
  }
}

act::tasks::prepared_samples prepare_questions(const act::tasks::task& task, const scored_data& data,
                                               const act::runtime::loaded_model& loaded,
                                               const eval_options& options) {
  const auto shots = [&](const act::tasks::sample& asked) {
    std::vector<act::tasks::sample> shown;
    for (const std::size_t position : act::tasks::paragraph_shots(data.all, asked.index, options.shots))
      shown.push_back(data.all[position]);
    return shown;
  };
  act::tasks::prepared_samples prepared =
      act::tasks::prepare(task, data.chosen, *loaded.tokenizer, loaded.model.config.context,
                          options.scoring.policy(), options.data,
                          {.scoring = act::tasks::scoring_rule::generated,
                           .shots = shots,
                           .vocabulary = nullptr,
                           .special_tokens = options.scoring.special_tokens.written(),
                           .new_tokens = options.max_new_tokens,
                           .called = flag_names});
  if (prepared.samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  }
  return prepared;
}

/// The questions' scores, one for each generated answer.
std::vector<act::tasks::squad_score> scores_of(const std::vector<act::runtime::generation>& answers,
                                               const std::vector<act::tasks::sample>& questions,
                                               act::tasks::squad_rules rules) {
  std::vector<act::tasks::squad_score> scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    scores.push_back(act::tasks::score_prediction(act::tasks::generated_answer(answers[i].text),
                                                  questions[i].choices, rules));
  }
  return scores;
}

answered_questions answer(const act::runtime::loaded_model& loaded,
                          const std::vector<act::tasks::sample>& all,
                          std::vector<act::tasks::prepared_sample> prompts,
                          const act::runtime::model_calibration& calibration, act::tasks::squad_rules rules,
                          const eval_options& options) {
  answered_questions made;
  for (const act::tasks::prepared_sample& each : prompts)
    made.questions.push_back(all[each.index]);
  made.prompts = std::move(prompts);
  act::report::progress progress("answering", made.questions.size(), options.common.quiet);
  made.chosen = made.questions.size();
  try {
    act::tasks::generate_answers(loaded.model, *loaded.tokenizer, made.prompts, calibration,
                                 options.max_new_tokens, made.answers, stop_if_interrupted,
                                 [&] { progress.advance(1); });
  } catch (const interrupted&) {
    const std::size_t answered = made.answers.plain.size();
    if (answered == 0) throw;
    made.questions.resize(answered);
    made.prompts.resize(answered);
    made.interrupted = true;
  }
  made.plain = scores_of(made.answers.plain, made.questions, rules);
  made.calibrated = scores_of(made.answers.calibrated, made.questions, rules);
  return made;
}

std::string prediction_lines(const answered_questions& made, const act::runtime::tokenizer& by,
                             const std::string& compute) {
  std::string lines;
  for (std::size_t i = 0; i < made.questions.size(); ++i) {
    std::optional<act::report::answered_question> second;
    if (!made.calibrated.empty())
      second.emplace(act::report::answered_question{made.answers.calibrated[i], made.calibrated[i]});
    lines += act::report::prediction_line(made.questions[i], made.prompts[i].prompt, by, compute,
                                          {made.answers.plain[i], made.plain[i]}, second);
  }
  return lines;
}

void print(const act::tasks::answers_evaluation& result, const act::tasks::task& task,
           const chosen_heads& heads, const passed_over& passed, const eval_options& options) {
  std::cout << task.name << ": " << result.n << " questions of " << options.data << heads.remark() << '\n';
  if (options.shots > 0)
    std::cout << "up to " << options.shots << " other questions of the paragraph shown before each\n";
  std::cout << passed.remarks();
  std::cout << '\n' << act::report::answers_table(result);
  if (result.difference) {
    std::cout << "McNemar's exact test of the exact matches: p = "
              << act::report::formatted("%.3g", result.difference->mcnemar_p) << '\n';
  }
  std::cout << heads.nothing_to_calibrate();
}

}  // namespace

void evaluate_questions(const command_line& line, const act::tasks::task& task, const eval_options& options) {
  const act::report::provenance_clock clock;
  chosen_heads heads(options);
  heads.check_subset(task);
  check_decodable(task, heads.calibration().options);
  const scored_data data = read_data(task, heads, options);
  const act::tasks::squad_rules rules = act::tasks::rules_of(data.all);

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  act::tasks::prepared_samples prepared = prepare_questions(task, data, loaded, options);
  const passed_over passed{
      .searched = data.left_out, .too_long = prepared.skipped, .truncated = prepared.truncated};
  show_prompts(prepared.samples, *loaded.tokenizer, options.show_prompts);
  const answered_questions made =
      answer(loaded, data.all, std::move(prepared.samples), heads.calibration(), rules, options);
  std::vector<bool> answerable;
  for (const act::tasks::sample& each : made.questions)
    answerable.push_back(!each.choices.empty());
  const act::tasks::answers_evaluation result =
      act::tasks::evaluate_answers(made.plain, made.calibrated, answerable, rules, {.seed = options.seed});

  // What an interrupted run has goes beside the results of an earlier one.
  const auto place = [&](const std::string& path) { return made.interrupted ? partial_path(path) : path; };
  if (!options.predictions.empty()) {
    act::io::write_file(place(options.predictions),
                        prediction_lines(made, *loaded.tokenizer, identity.compute));
  }
  if (!options.common.json.empty()) {
    act::io::json_document document =
        act::io::json_document::object({{"task", task.name}, {"scoring", "generated"}});
    document.update(act::report::to_json(result));
    document.set("max_new_tokens", options.max_new_tokens);
    if (options.shots > 0) document.set("shots", act::io::json_document::object({{"count", options.shots}}));
    passed.add_to(document);
    options.scoring.special_tokens.add_to(document);
    add_calibrated_model(document, heads.calibration(), identity);
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", data.sha256}}));
    if (made.interrupted)
      document.set("interrupted", act::io::json_document::object({{"samples", made.chosen}}));
    write_result(place(options.common.json), std::move(document), line, clock);
  }

  print(result, task, heads, passed, options);
  if (!made.interrupted) return;
  std::string had =
      std::to_string(result.n) + " of " + std::to_string(made.chosen) + " questions had been answered";
  for (const std::string& path : {options.predictions, options.common.json}) {
    if (!path.empty()) had += ", " + place(path);
  }
  throw interrupted(had);
}

}  // namespace act_program
