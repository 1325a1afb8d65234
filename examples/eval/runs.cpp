#include "eval/runs.hpp"

#include <act/error.hpp>
#include <act/report/progress.hpp>
#include <act/runtime/forward.hpp>
#include <act/tasks/few_shot.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/score_samples.hpp>
#include <act/tasks/shots.hpp>
#include <act/tasks/task.hpp>

#include <map>
#include <set>
#include <utility>

#include "eval/options.hpp"
#include "programs/command_line.hpp"
#include "programs/data_identity.hpp"
#include "programs/interruption.hpp"

namespace act_program {

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
  pool.samples = act::tasks::read_samples(task, options.shot_data);
  pool.sha256 = data_sha256(task, options.shot_data);
  const std::size_t runs = act::tasks::shots_are_drawn(task) ? options.shot_seeds : 1;
  for (std::size_t run = 0; run < runs; ++run)
    pool.seeds.push_back(act::tasks::shot_seed(run));
  return pool;
}

namespace {

// In what way each run asks: without shots there is one, else one for each seed.
std::vector<act::tasks::asking> ways_of_asking(const asked_samples& asked, const shot_pool& pool,
                                               const eval_options& options,
                                               const act::tasks::tokens_by_text* vocabulary, bool same_file) {
  std::vector<act::tasks::asking> ways;
  if (options.shots == 0) {
    ways.push_back({.scoring = options.scoring.rule(),
                    .shots = {},
                    .vocabulary = vocabulary,
                    .subset = asked.subset,
                    .called = flag_names});
  }
  for (const std::uint64_t seed : pool.seeds) {
    ways.push_back({.scoring = options.scoring.rule(),
                    .shots = act::tasks::few_shots(asked.task, pool.samples, options.shots, seed, same_file),
                    .vocabulary = vocabulary,
                    .subset = asked.subset,
                    .called = flag_names});
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

}  // namespace

prepared_runs prepare_runs(const asked_samples& asked, const shot_pool& pool, const eval_options& options,
                           const std::string& data_sha256) {
  std::optional<act::tasks::tokens_by_text> vocabulary;
  if (options.scoring.rule() == act::tasks::scoring_rule::greedy) vocabulary.emplace(asked.tokenizer);
  const std::vector<act::tasks::asking> ways =
      ways_of_asking(asked, pool, options, vocabulary ? &*vocabulary : nullptr, pool.sha256 == data_sha256);
  prepared_runs prepared;
  if (options.shots == 0) prepared.runs.emplace_back();
  for (const std::uint64_t seed : pool.seeds)
    prepared.runs.push_back({.shot_seed = seed, .samples = {}, .prior = {}});
  prepare_samples(prepared, asked, ways, options);
  if (options.prior != "none") prepare_priors(prepared, asked, ways, options);
  return prepared;
}

std::vector<act::tasks::sample_scores> score_runs(const act::runtime::model& model,
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
