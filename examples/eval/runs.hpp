// act-eval's runs over the chosen samples: one, or one for each few-shot seed, over the same samples.
#pragma once

#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace act::runtime {
struct model;
struct model_calibration;
class tokenizer;
}  // namespace act::runtime
namespace act::tasks {
struct sample_scores;
struct task;
}  // namespace act::tasks

namespace act_program {

class command_line;
struct eval_options;

/// Where shots come from; without --shots nothing.
struct shot_pool {
  std::vector<act::tasks::sample> samples;
  std::string sha256;
  std::vector<std::uint64_t> seeds;  ///< of the runs
};

/// Throws act::error for a file that can't be read, and (invalid_option) for seeds that would change nothing.
[[nodiscard]] shot_pool read_shots(const act::tasks::task& task, const eval_options& options,
                                   const command_line& line);

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
[[nodiscard]] prepared_runs prepare_runs(const asked_samples& asked, const shot_pool& pool,
                                         const eval_options& options, const std::string& data_sha256);

/// Scores every run, with progress on the terminal. Throws `interrupted` between batches.
[[nodiscard]] std::vector<act::tasks::sample_scores> score_runs(
    const act::runtime::model& model, const prepared_runs& prepared,
    const act::runtime::model_calibration& calibration, bool quiet);

}  // namespace act_program
