// act-eval --task squad: generated answers, plain and calibrated, by exact match and F1.
#pragma once

#include <act/io/atomic_file.hpp>
#include <act/report/answers_report.hpp>
#include <act/report/progress.hpp>
#include <act/tasks/evaluate_answers.hpp>
#include <act/tasks/generate_answers.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/shots.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval_heads.hpp"
#include "eval_options.hpp"
#include "eval_samples.hpp"
#include "passed_over.hpp"
#include "result_file.hpp"

namespace act_program {

/// The questions' scores, one for each generated answer.
inline std::vector<act::tasks::squad_score> scores_of(const std::vector<act::runtime::generation>& answers,
                                                      const std::vector<act::tasks::sample>& questions,
                                                      act::tasks::squad_rules rules) {
  std::vector<act::tasks::squad_score> scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    scores.push_back(act::tasks::score_prediction(act::tasks::generated_answer(answers[i].text),
                                                  questions[i].choices, rules));
  }
  return scores;
}

inline void evaluate_questions(const CLI::App& app, const act::tasks::task& task,
                               const eval_options& options) {
  const act::report::provenance_clock clock;
  chosen_heads heads(options);
  heads.check_subset(task);
  const act::calibration_options& calibrated_by = heads.calibration().options;
  if (calibrated_by.redistribute != act::redistribution::proportional ||
      calibrated_by.behave_as != act::compatibility::none) {
    throw act::error(act::error_code::unsupported, "--task " + task.name,
                     "decodes its answers, which knows proportional redistribution and no compatibility; "
                     "calibrate with --redistribution proportional --compatibility none");
  }
  const scored_data data = read_data(task, heads, options);
  const std::vector<act::tasks::sample>& all = data.all;
  const act::tasks::squad_rules rules = act::tasks::rules_of(all);

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  const act::runtime::model_calibration& calibration = heads.calibration();
  const auto shots = [&](const act::tasks::sample& asked) {
    std::vector<act::tasks::sample> shown;
    for (const std::size_t position : act::tasks::paragraph_shots(all, asked.index, options.shots))
      shown.push_back(all[position]);
    return shown;
  };
  const act::tasks::prepared_samples prepared =
      act::tasks::prepare(task, data.chosen, *loaded.tokenizer, loaded.model.config.context,
                          options.scoring.policy(), options.data,
                          {.scoring = act::tasks::scoring_rule::generated,
                           .shots = shots,
                           .vocabulary = nullptr,
                           .new_tokens = options.max_new_tokens});
  if (prepared.samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  }
  const passed_over passed{
      .searched = data.left_out, .too_long = prepared.skipped, .truncated = prepared.truncated};
  std::vector<act::tasks::sample> questions;
  std::vector<bool> answerable;
  for (const act::tasks::prepared_sample& each : prepared.samples) {
    questions.push_back(all[each.index]);
    answerable.push_back(!questions.back().choices.empty());
  }

  act::tasks::generated_answers answers;
  {
    act::report::progress progress("answering", questions.size(), options.common.quiet);
    answers = act::tasks::generate_answers(loaded.model, *loaded.tokenizer, prepared.samples, calibration,
                                           options.max_new_tokens, stop_if_interrupted,
                                           [&] { progress.advance(1); });
  }
  const std::vector<act::tasks::squad_score> plain = scores_of(answers.plain, questions, rules);
  const std::vector<act::tasks::squad_score> calibrated = scores_of(answers.calibrated, questions, rules);
  const act::tasks::answers_evaluation result =
      act::tasks::evaluate_answers(plain, calibrated, answerable, rules, {.seed = options.seed});

  if (!options.predictions.empty()) {
    std::string lines;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      std::optional<act::report::answered_question> second;
      if (!calibrated.empty())
        second.emplace(act::report::answered_question{answers.calibrated[i], calibrated[i]});
      lines += act::report::prediction_line(questions[i], prepared.samples[i].prompt,
                                            {answers.plain[i], plain[i]}, second);
    }
    act::io::write_file(options.predictions, lines);
  }
  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{{"task", task.name}, {"scoring", "generated"}};
    document.update(act::report::to_json(result));
    document["max_new_tokens"] = options.max_new_tokens;
    if (options.shots > 0) document["shots"] = {{"count", options.shots}};
    passed.add_to(document);
    add_calibrated_model(document, heads.calibration(), identity);
    document["data"] = {{"file", options.data}, {"sha256", data.sha256}};
    write_result(options.common.json, std::move(document), app, clock);
  }

  std::cout << task.name << ": " << result.n << " questions of " << options.data << heads.remark() << '\n';
  if (options.shots > 0)
    std::cout << "up to " << options.shots << " other questions of the paragraph shown before each\n";
  std::cout << passed.remarks();
  std::cout << '\n' << act::report::answers_table(result);
  if (result.difference) {
    std::cout << "McNemar's exact test of the exact matches: p = "
              << act::report::detail::formatted("%.3g", result.difference->mcnemar_p) << '\n';
  }
  std::cout << heads.nothing_to_calibrate();
}

}  // namespace act_program
