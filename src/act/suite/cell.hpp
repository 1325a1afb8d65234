// A cell of a suite's tables: one model, one task, so many shots drawn by one seed. Its prompts, ready for
// the model; every way of scoring it runs on the same ones.
#pragma once

#include <act/io/json_document.hpp>
#include <act/runtime/load_model.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/suite/suite.hpp>
#include <act/suite/task_data.hpp>
#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/prepared_sample.hpp>
#include <act/tasks/prompt_part.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace act::suite {

/// What a cell is made for.
struct asked_cell {
  const suite_model& model;
  const runtime::loaded_model& loaded;
  const runtime::model_identity& identity;
  const suite_task& task;
  const task_data& data;
  const std::vector<tasks::sample>& scored;
  std::size_t shots = 0;
  std::uint64_t shot_seed = 0;
  std::uint64_t seed = 0;  ///< the suite's
};

/// The prompts of a cell's parts. Of `scored` and `labelled` also with the positions of a part of each
/// prompt, where some way of calibrating wants these.
struct cell {
  std::vector<tasks::prepared_sample> scored, labelled;
  std::map<tasks::prompt_part, std::vector<tasks::prepared_sample>> scored_with, labelled_with;
  std::optional<tasks::prior_prompts> prior;
  std::vector<tasks::prepared_sample> domain;
  std::size_t skipped = 0;     ///< scored samples that are longer than the model's context
  std::size_t truncated = 0;   ///< prompts that were cut to it
  io::json_document identity;  ///< all that plain scores depend on
};

/// The baselines of `all` that the task can have: labels that all samples share, scores of labels alone.
[[nodiscard]] suite_baselines applicable(const suite_baselines& all, const suite_task& task);

/// Makes the prompts. `parts`: those whose positions are wanted. Throws error as tasks::prepare and
/// tasks::few_shots do, and (invalid_input) when no prompt fits the model's context.
[[nodiscard]] cell prepare_cell(const asked_cell& asked, const suite_baselines& baselines,
                                const std::vector<tasks::prompt_part>& parts);

/// The labelled samples as a search runs them: without shots.
[[nodiscard]] std::vector<tasks::prepared_sample> prepare_labelled(const suite_task& task,
                                                                   const task_data& data,
                                                                   const runtime::loaded_model& loaded,
                                                                   std::optional<tasks::prompt_part> part);

}  // namespace act::suite
