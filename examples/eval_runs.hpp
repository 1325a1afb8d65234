// act-eval's runs over the chosen samples: one, or one for each few-shot seed, over the same samples.
#pragma once

#include <act/report/progress.hpp>
#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/evaluate.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/score_samples.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data_identity.hpp"
#include "eval_options.hpp"

namespace act_program {

/// Where shots come from; without --shots nothing.
struct shot_pool {
  std::vector<act::tasks::sample> samples;
  std::string sha256;
  std::vector<std::uint64_t> seeds;  ///< of the runs
};

/// Throws act::error for a file that can't be read, and (invalid_option) for seeds that would change nothing.
inline shot_pool read_shots(const act::tasks::task& task, const eval_options& options, const CLI::App& app) {
  shot_pool pool;
  if (options.shots == 0) return pool;
  const bool given = app.get_option("--shot-seeds")->count() > 0;
  if (!act::tasks::shots_are_drawn(task) && given && options.shot_seeds > 1) {
    throw act::error(
        act::error_code::invalid_option, "--shot-seeds",
        "task '" + task.name +
            "' shows the first rows of the development file, the same for every seed; leave it out");
  }
  pool.samples = act::tasks::read_samples(task, options.shot_data);
  pool.sha256 = data_sha256(task, options.shot_data);
  const std::size_t runs = act::tasks::shots_are_drawn(task) ? options.shot_seeds : 1;
  for (std::size_t run = 0; run < runs; ++run)
    pool.seeds.push_back(act::tasks::shot_seed(run));
  return pool;
}

/// Ready to be scored; sample i is the same in every run.
struct seed_run {
  std::optional<std::uint64_t> shot_seed;
  std::vector<act::tasks::prepared_sample> samples;
  std::optional<act::tasks::prior_prompts> prior;

  [[nodiscard]] std::size_t passes() const noexcept {
    return samples.size() + (prior ? prior->distinct.size() : 0);
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
      subset;  ///< of each prompt, which part redistribution::subset gives to
};

/// Throws act::error where act::tasks::prepare and act::tasks::few_shots do, and when no sample is left.
inline prepared_runs prepare_runs(const asked_samples& asked, const shot_pool& pool,
                                  const eval_options& options, const std::string& data_sha256) {
  const bool same_file = pool.sha256 == data_sha256;
  const act::tasks::long_prompts policy = options.scoring.policy();
  std::optional<act::tasks::tokens_by_text> vocabulary;
  if (options.scoring.rule() == act::tasks::scoring_rule::greedy) vocabulary.emplace(asked.tokenizer);
  const act::tasks::tokens_by_text* said = vocabulary ? &*vocabulary : nullptr;
  std::vector<act::tasks::asking> ways;
  prepared_runs prepared;
  if (options.shots == 0) {
    ways.push_back(
        {.scoring = options.scoring.rule(), .shots = {}, .vocabulary = said, .subset = asked.subset});
    prepared.runs.emplace_back();
  }
  for (const std::uint64_t seed : pool.seeds) {
    ways.push_back({.scoring = options.scoring.rule(),
                    .shots = act::tasks::few_shots(asked.task, pool.samples, options.shots, seed, same_file),
                    .vocabulary = said,
                    .subset = asked.subset});
    prepared.runs.push_back({.shot_seed = seed, .samples = {}, .prior = {}});
  }

  std::map<std::size_t, std::size_t> fits;  // in how many runs each sample does
  for (std::size_t run = 0; run < ways.size(); ++run) {
    act::tasks::prepared_samples made = act::tasks::prepare(asked.task, asked.samples, asked.tokenizer,
                                                            asked.context, policy, options.data, ways[run]);
    prepared.truncated += made.truncated;
    for (const act::tasks::prepared_sample& each : made.samples)
      ++fits[each.index];
    prepared.runs[run].samples = std::move(made.samples);
  }
  const auto in_every_run = [&](std::size_t index) { return fits[index] == ways.size(); };
  for (seed_run& run : prepared.runs)
    std::erase_if(run.samples,
                  [&](const act::tasks::prepared_sample& each) { return !in_every_run(each.index); });
  prepared.skipped = asked.samples.size() - prepared.runs.front().samples.size();
  if (prepared.runs.front().samples.empty()) {
    throw act::error(act::error_code::invalid_input, options.data, "no prompt fits the model's context");
  }

  if (options.prior == "none") return prepared;
  std::vector<act::tasks::sample> content_free;
  for (const act::tasks::sample& each : asked.samples) {
    if (in_every_run(each.index)) {
      content_free.push_back(act::tasks::content_free(
          asked.task, each, options.scoring.rule() == act::tasks::scoring_rule::likelihood, options.data));
    }
  }
  // A sample that fits mustn't lose its prior, so a prompt without content isn't skipped.
  const auto prior_policy =
      policy == act::tasks::long_prompts::skip ? act::tasks::long_prompts::refuse : policy;
  for (std::size_t run = 0; run < ways.size(); ++run) {
    ways[run].subset.reset();  // the prior is the plain model's
    prepared.runs[run].prior =
        act::tasks::prior_prompts_of(act::tasks::prepare(asked.task, content_free, asked.tokenizer,
                                                         asked.context, prior_policy, options.data, ways[run])
                                         .samples);
  }
  return prepared;
}

/// Scores every run, with progress on the terminal. Throws `interrupted` between batches.
inline std::vector<act::tasks::sample_scores> score_runs(const act::runtime::model& model,
                                                         const prepared_runs& prepared,
                                                         const act::runtime::model_calibration& calibration,
                                                         bool quiet) {
  std::size_t passes = 0;
  for (const seed_run& run : prepared.runs)
    passes += run.passes();
  act::report::progress progress("scoring", passes, quiet);
  const auto settled = [&](std::size_t count) {
    progress.advance(count);
    stop_if_interrupted();
  };
  std::vector<act::tasks::sample_scores> scores;
  for (const seed_run& run : prepared.runs) {
    scores.push_back(act::tasks::score_samples(model, run.samples, calibration, settled));
    if (!run.prior) continue;
    const act::tasks::sample_scores prior =
        act::tasks::score_samples(model, run.prior->distinct, {}, settled);
    scores.back().contextual = act::tasks::less_prior(scores.back().plain, *run.prior, prior.plain);
  }
  return scores;
}

}  // namespace act_program
