#include "eval/samples.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/text_file.hpp>
#include <act/report/evaluation_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/predictions/kept_predictions.hpp>
#include <act/report/predictions/lm_eval_samples.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/selection_report.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/tasks/batch_prior.hpp>
#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/domain_prior.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "eval/heads.hpp"
#include "eval/options.hpp"
#include "eval/shown_prompts.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

/// Where shots come from; without --shots nothing.
struct shot_pool {
  std::vector<act::tasks::sample> samples;
  std::string sha256;
  std::vector<std::uint64_t> seeds;  ///< of the runs
};

/// Ready to be scored; sample i is the same in every run.
struct seed_run {
  std::optional<std::uint64_t> shot_seed;
  std::vector<act::tasks::prepared_sample> samples;
  std::optional<act::tasks::prior_prompts> prior;
  std::vector<act::tasks::prepared_sample> domain;  ///< random texts, for that prior

  [[nodiscard]] std::size_t passes() const noexcept {
    return samples.size() + (prior ? prior->distinct.size() : 0) + domain.size();
  }
};

struct prepared_runs {
  std::vector<seed_run> runs;
  std::size_t skipped = 0;    ///< samples that are too long in one run at least
  std::size_t truncated = 0;  ///< prompts cut, of all runs
};

/// What is the same for every run of a preparation.
struct asked_samples {
  const act::tasks::task& task;
  std::span<const act::tasks::sample> samples;
  const act::runtime::tokenizer& tokenizer;
  std::size_t context;
  std::optional<act::tasks::prompt_part>
      subset;  ///< of each prompt, which part redistribution::subset gives to, or a span is
  act::tasks::choice_names names;
};

// Throws act::error for a file that can't be read, and (invalid_option) for seeds that would change nothing.
shot_pool read_shots(const act::tasks::task& task, const eval_options& options, const command_line& line) {
  shot_pool pool;
  if (options.shots == 0) return pool;
  const bool given = line.given("--shot-seeds");
  if (!act::tasks::shots_are_drawn(task) && given && options.shot_seeds > 1) {
    throw act::error(
        act::error_code::invalid_option, "--shot-seeds",
        "task '" + task.name +
            "' shows the first rows of the development file, the same for every seed; leave it out");
  }
  if (!act::tasks::shots_are_drawn(task) && options.balanced_shots) {
    throw act::error(act::error_code::invalid_option, "--balanced-shots",
                     "is for examples that are drawn; task '" + task.name +
                         "' shows the first rows of the development file");
  }
  pool.samples = act::tasks::read_samples(task, options.shot_data);
  pool.sha256 = act::tasks::data_sha256(task, options.shot_data);
  const std::size_t runs = act::tasks::shots_are_drawn(task) ? options.shot_seeds : 1;
  for (std::size_t run = 0; run < runs; ++run)
    pool.seeds.push_back(act::tasks::shot_seed(run));
  return pool;
}

// In what way each run asks: without shots there is one, else one for each seed.
std::vector<act::tasks::asking> ways_of_asking(const asked_samples& asked, const shot_pool& pool,
                                               const eval_options& options,
                                               const act::tasks::tokens_by_text* vocabulary, bool same_file) {
  std::vector<act::tasks::asking> ways;
  if (options.shots == 0) {
    ways.push_back({.scoring = options.scoring.rule(),
                    .shots = {},
                    .vocabulary = vocabulary,
                    .special_tokens = options.scoring.special_tokens.written(),
                    .subset = asked.subset,
                    .called = asked.names});
  }
  for (const std::uint64_t seed : pool.seeds) {
    ways.push_back({.scoring = options.scoring.rule(),
                    .shots = act::tasks::few_shots(asked.task, pool.samples, options.shots, seed, same_file,
                                                   options.balanced_shots),
                    .vocabulary = vocabulary,
                    .special_tokens = options.scoring.special_tokens.written(),
                    .subset = asked.subset,
                    .called = asked.names});
  }
  return ways;
}

// Every run's samples, those that fit in each of them.
void prepare_samples(prepared_runs& prepared, const asked_samples& asked,
                     const std::vector<act::tasks::asking>& ways, const eval_options& options) {
  std::map<std::size_t, std::size_t> fits;  // in how many runs each sample does
  for (std::size_t run = 0; run < ways.size(); ++run) {
    act::tasks::prepared_samples made =
        act::tasks::prepare(asked.task, asked.samples, asked.tokenizer, asked.context,
                            options.scoring.policy(), options.data, ways[run]);
    prepared.truncated += made.truncated;
    for (const act::tasks::prepared_sample& each : made.samples)
      ++fits[each.index];
    prepared.runs[run].samples = std::move(made.samples);
  }
  for (seed_run& run : prepared.runs) {
    std::erase_if(run.samples,
                  [&](const act::tasks::prepared_sample& each) { return fits[each.index] != ways.size(); });
  }
  prepared.skipped = asked.samples.size() - prepared.runs.front().samples.size();
  if (prepared.runs.front().samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  }
}

// The prompts of the samples that are scored, without their text.
void prepare_priors(prepared_runs& prepared, const asked_samples& asked, std::vector<act::tasks::asking> ways,
                    const eval_options& options) {
  std::set<std::size_t> scored;
  for (const act::tasks::prepared_sample& each : prepared.runs.front().samples)
    scored.insert(each.index);
  std::vector<act::tasks::sample> content_free;
  for (const act::tasks::sample& each : asked.samples) {
    if (scored.contains(each.index)) {
      content_free.push_back(act::tasks::content_free(
          asked.task, each, options.scoring.rule() == act::tasks::scoring_rule::likelihood, options.data));
    }
  }
  // A sample that fits mustn't lose its prior, so a prompt without content isn't skipped.
  const act::tasks::long_prompts policy = options.scoring.policy() == act::tasks::long_prompts::skip
                                              ? act::tasks::long_prompts::refuse
                                              : options.scoring.policy();
  for (std::size_t run = 0; run < ways.size(); ++run) {
    ways[run].subset.reset();  // the prior is the plain model's
    prepared.runs[run].prior =
        act::tasks::prior_prompts_of(act::tasks::prepare(asked.task, content_free, asked.tokenizer,
                                                         asked.context, policy, options.data, ways[run])
                                         .samples);
  }
}

// Prompts of random words, the same in every run but for the shots.
void prepare_domain(prepared_runs& prepared, const asked_samples& asked, std::vector<act::tasks::asking> ways,
                    const eval_options& options) {
  const std::vector<act::tasks::sample> random =
      act::tasks::random_domain_samples(asked.task, asked.samples, act::tasks::domain_texts, options.seed);
  for (std::size_t run = 0; run < ways.size(); ++run) {
    ways[run].subset.reset();  // the prior is the plain model's
    prepared.runs[run].domain =
        act::tasks::prepare(asked.task, random, asked.tokenizer, asked.context,
                            act::tasks::long_prompts::truncate_left, options.data, ways[run])
            .samples;
  }
}

// Throws act::error where act::tasks::prepare and act::tasks::few_shots do, and when no sample is left.
prepared_runs prepare_runs(const asked_samples& asked, const shot_pool& pool, const eval_options& options,
                           const std::string& data_sha256) {
  std::optional<act::tasks::tokens_by_text> vocabulary;
  if (options.scoring.rule() == act::tasks::scoring_rule::greedy) vocabulary.emplace(asked.tokenizer);
  const std::vector<act::tasks::asking> ways =
      ways_of_asking(asked, pool, options, vocabulary ? &*vocabulary : nullptr, pool.sha256 == data_sha256);
  prepared_runs prepared;
  if (options.shots == 0) prepared.runs.emplace_back();
  for (const std::uint64_t seed : pool.seeds)
    prepared.runs.push_back({.shot_seed = seed, .samples = {}, .prior = {}, .domain = {}});
  prepare_samples(prepared, asked, ways, options);
  if (options.prior == "domain") prepare_domain(prepared, asked, ways, options);
  if (options.prior == "contextual") prepare_priors(prepared, asked, ways, options);
  return prepared;
}

// The samples that `made` doesn't have yet. Where `settled` throws, what was scored before is in `made`.
void score_rest(const act::runtime::model& model, std::span<const act::tasks::prepared_sample> samples,
                const act::runtime::model_calibration& calibration, act::tasks::sample_scores& made,
                const std::function<void(std::size_t)>& settled) {
  act::tasks::sample_scores rest;
  const auto append = [&] {
    made.with_other = made.with_other || rest.with_other;
    made.plain.insert(made.plain.end(), rest.plain.begin(), rest.plain.end());
    made.calibrated.insert(made.calibrated.end(), rest.calibrated.begin(), rest.calibrated.end());
  };
  if (made.plain.size() == samples.size()) return;
  try {
    act::tasks::score_samples(model, samples.subspan(made.plain.size()), calibration, rest, settled);
  } catch (...) {
    append();
    throw;
  }
  append();
}

// Scores one run. Where `settled` throws, what was scored before is in `made`.
void score_run(const act::runtime::model& model, const seed_run& run,
               const act::runtime::model_calibration& calibration, const eval_options& options,
               act::tasks::sample_scores& made, const std::function<void(std::size_t)>& settled) {
  if (options.prior != "none") made.prior = options.prior;
  score_rest(model, run.samples, calibration, made, settled);
  if (options.prior == "batch") made.contextual = act::tasks::less_batch_prior(made.plain);
  if (options.prior == "domain") {
    made.contextual = act::tasks::less_domain_prior(
        made.plain, act::tasks::score_samples(model, run.domain, {}, settled).plain);
  }
  if (run.prior) {
    made.contextual = act::tasks::less_prior(
        made.plain, *run.prior, act::tasks::score_samples(model, run.prior->distinct, {}, settled).plain);
  }
}

// After an interruption, of several runs those that are whole, else the first one's samples that were scored;
// without a prior that was still to come. Throws `interrupted` where there is nothing.
void keep_settled(prepared_runs& prepared, std::vector<act::tasks::sample_scores>& scores) {
  if (scores.size() > 1) {
    scores.pop_back();
    prepared.runs.resize(scores.size());
    return;
  }
  const std::size_t scored = scores.front().plain.size();
  if (scored == 0) throw interrupted();
  prepared.runs.resize(1);
  prepared.runs.front().samples.resize(scored);
}

struct scored_runs {
  std::vector<act::tasks::sample_scores> scores;
  bool interrupted = false;  ///< they aren't all that were prepared
};

// Scores every run, with progress on the terminal; `kept`: what of the first runs is scored already. After an
// interruption what there is is returned, and `prepared` is cut to it.
scored_runs score_runs(const act::runtime::model& model, prepared_runs& prepared,
                       const act::runtime::model_calibration& calibration,
                       std::vector<act::tasks::sample_scores> kept, const eval_options& options) {
  std::size_t passes = 0, before = 0;
  for (const act::tasks::sample_scores& each : kept)
    before += each.plain.size();
  for (const seed_run& run : prepared.runs)
    passes += run.passes();
  act::report::progress progress("scoring", passes, options.common.quiet, before);
  const auto settled = [&](std::size_t count) {
    progress.advance(count);
    stop_if_interrupted();
  };
  scored_runs made;
  try {
    for (const seed_run& run : prepared.runs) {
      const std::size_t number = made.scores.size();
      made.scores.push_back(number < kept.size() ? std::move(kept[number]) : act::tasks::sample_scores());
      score_run(model, run, calibration, options, made.scores.back(), settled);
    }
  } catch (const interrupted&) {
    keep_settled(prepared, made.scores);
    made.interrupted = true;
  }
  return made;
}

act::io::json_document shots_json(const shot_pool& pool, const eval_options& options) {
  return act::io::json_document::object({{"count", options.shots},
                                         {"balanced", options.balanced_shots},
                                         {"file", options.shot_data},
                                         {"sha256", pool.sha256}});
}

act::io::json_document data_json(const scored_data& data, const eval_options& options) {
  return act::io::json_document::object({{"file", options.data}, {"sha256", data.sha256}});
}

// What an interrupted run of the same command kept; nothing where it kept nothing.
std::vector<act::tasks::sample_scores> kept_scores(const prepared_runs& prepared,
                                                   const act::tasks::task& task, const std::string& scoring,
                                                   const shot_pool& pool, const chosen_heads& heads,
                                                   const act::runtime::model_identity& identity,
                                                   const scored_data& data, const eval_options& options) {
  const std::string lines = partial_path(options.predictions), result = partial_path(options.common.json);
  if (!std::filesystem::exists(lines) || !std::filesystem::exists(result)) {
    if (!options.common.quiet)
      std::cerr << "act-eval: no " << lines << " and " << result << " to go on from; starting anew\n";
    return {};
  }
  act::io::json_document asked = act::io::json_document::object({{"task", task.name}, {"scoring", scoring}});
  options.scoring.special_tokens.add_to(asked);
  options.scoring.final_space.add_to(asked, task);
  if (options.shots > 0) asked.set("shots", shots_json(pool, options));
  add_calibrated_model(asked, heads.calibration(), identity, heads.subset());
  asked.set("data", data_json(data, options));
  constexpr std::string_view members[] = {"task",    "scoring",      "special_tokens", "final_space", "shots",
                                          "options", "heads_sha256", "model",          "data"};
  act::report::check_same_evaluation(act::io::read_text_file(result), asked, members);
  std::vector<act::report::asked_run> runs;
  for (const seed_run& run : prepared.runs)
    runs.push_back({.shot_seed = run.shot_seed, .samples = run.samples});
  return act::report::kept_scores(act::io::read_text_file(lines), runs, !heads.calibration().heads.empty());
}

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
  std::optional<act::search::source_forecast> forecast = {};  ///< of the difference; without shots
};

act::statistics::bootstrap_options resampled(const eval_options& options) {
  return {.seed = options.seed};
}

std::string prediction_lines(const prepared_runs& prepared,
                             const std::vector<act::tasks::sample_scores>& scores,
                             const act::runtime::tokenizer& by, const std::string& compute) {
  std::string lines;
  for (std::size_t run = 0; run < scores.size(); ++run) {
    const seed_run& of = prepared.runs[run];
    for (std::size_t i = 0; i < of.samples.size(); ++i)
      lines += act::report::prediction_line(of.samples[i], scores[run], i,
                                            {.by = by, .compute = compute, .shot_seed = of.shot_seed});
  }
  return lines;
}

act::io::json_document document_of(const scored_task& all, const eval_options& options) {
  act::io::json_document document =
      act::io::json_document::object({{"task", all.task.name}, {"scoring", all.scoring}});
  document.update(act::report::to_json(all.result));
  if (options.shots > 0) {
    document.set("shots", shots_json(all.pool, options));
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
  if (all.forecast && all.result.difference)
    document.set("forecast", act::report::forecast_check_json(*all.forecast, *all.result.difference));
  all.passed.add_to(document);
  options.scoring.special_tokens.add_to(document);
  options.scoring.final_space.add_to(document, all.task);
  return document;
}

void print(const scored_task& all, const eval_options& options) {
  std::cout << all.task.name << ": " << all.result.n << " samples of " << options.data << all.heads.remark();
  if (all.scoring == "likelihood") std::cout << ", scored by likelihood";
  if (all.scoring == "greedy") std::cout << ", scored by the greedy token";
  if (options.scoring.final_space.left_out) std::cout << ", prompts without their last space";
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
  if (all.forecast && all.result.difference)
    std::cout << act::report::forecast_check_text(*all.forecast, *all.result.difference);
  std::cout << all.heads.nothing_to_calibrate();
}

// A run's samples as lm-eval logs them.
void write_export(const std::filesystem::path& folder, const std::string& task,
                  std::span<const act::tasks::prepared_sample> samples,
                  const act::statistics::score_table& scores, const act::runtime::tokenizer& by) {
  if (scores.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);  // writing says what can't be written
  std::string lines;
  for (std::size_t i = 0; i < samples.size(); ++i)
    lines += act::report::lm_eval_line(samples[i], scores[i], by);
  act::io::write_file((folder / ("samples_" + task + ".jsonl")).string(), lines);
}

}  // namespace

void evaluate_samples(const command_line& line, const act::tasks::task& task, const eval_options& options) {
  const act::report::provenance_clock clock;
  std::string scoring = options.scoring.name_for(task);
  chosen_heads heads(options);
  heads.check_subset(task);
  std::optional<act::search::source_forecast> forecast;
  if (options.shots == 0) {
    forecast = heads.forecast(
        {.task = task.name, .scoring = scoring, .final_space = !options.scoring.final_space.left_out});
  }

  // What is cheap to check comes before the model is loaded.
  const scored_data data = read_data(task, heads, options);
  const shot_pool pool = read_shots(task, options, line);

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  heads.fit_to(identity);
  prepared_runs prepared = prepare_runs({.task = task,
                                         .samples = data.chosen,
                                         .tokenizer = *loaded.tokenizer,
                                         .context = loaded.model.config.context,
                                         .subset = heads.subset(),
                                         .names = heads.names()},
                                        pool, options, data.sha256);
  show_prompts(prepared.runs.front().samples, *loaded.tokenizer, options.show_prompts);
  const std::size_t chosen = prepared.runs.front().samples.size(), chosen_runs = prepared.runs.size();
  std::vector<act::tasks::sample_scores> kept;
  if (options.resume) kept = kept_scores(prepared, task, scoring, pool, heads, identity, data, options);
  const scored_runs scored =
      score_runs(loaded.model, prepared, heads.calibration(), std::move(kept), options);
  const std::vector<act::tasks::sample_scores>& scores = scored.scores;
  // What an interrupted run has goes beside the results of an earlier one.
  const auto place = [&](const std::string& path) { return scored.interrupted ? partial_path(path) : path; };

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
      .result = std::move(result),
      .forecast = forecast};

  if (!options.predictions.empty()) {
    act::io::write_file(place(options.predictions),
                        prediction_lines(prepared, scores, *loaded.tokenizer, identity.compute));
  }
  if (const std::filesystem::path folder = export_folder(options); !folder.empty() && !scored.interrupted) {
    write_export(folder / "plain", task.name, samples, scores.front().plain, *loaded.tokenizer);
    write_export(folder / "calibrated", task.name, samples, scores.front().calibrated, *loaded.tokenizer);
  }
  if (!options.common.json.empty()) {
    act::io::json_document document = document_of(all, options);
    add_calibrated_model(document, heads.calibration(), identity, heads.subset());
    document.set("data", data_json(data, options));
    if (scored.interrupted) {
      document.set("interrupted",
                   act::io::json_document::object({{"samples", chosen}, {"runs", chosen_runs}}));
    }
    write_result(place(options.common.json), std::move(document), line, clock);
  }
  print(all, options);
  if (!scored.interrupted) {
    std::error_code ignored;
    for (const std::string& path : {partial_path(options.predictions), partial_path(options.common.json)}) {
      if (options.resume && path.ends_with(".partial")) std::filesystem::remove(path, ignored);
    }
    return;
  }
  std::string had = std::to_string(samples.size()) + " of " + std::to_string(chosen) + " samples";
  if (chosen_runs > 1) {
    had += " with " + std::to_string(prepared.runs.size()) + " of " + std::to_string(chosen_runs) + " seeds";
  }
  had += " had been scored";
  for (const std::string& path : {options.predictions, options.common.json}) {
    if (!path.empty()) had += ", " + place(path);
  }
  throw interrupted(had);
}

}  // namespace act_program
