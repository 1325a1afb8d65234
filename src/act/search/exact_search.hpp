// The exact head search: every head of the range, every sample, resumable.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/evidence.hpp>
#include <act/search/layer_trials.hpp>
#include <act/search/plan.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <functional>
#include <vector>

namespace act::search {

/// What a finished search knows.
struct search_outcome {
  std::size_t samples = 0;
  std::size_t plain_correct = 0;
  std::vector<head_evidence> evidence;  ///< every head of the range, by layer, then head
  trial_table trials;                   ///< what the evidence sums up, in the plan's order of samples
  search_work work;
};

/// Called after each plain pass and each batch of trials with the part of the search that is done, 0 .. 1.
/// May throw to interrupt: what is stored so far stays stored.
using search_progress = std::function<void(double part_done)>;

/// Runs what `state` doesn't hold yet and returns the evidence. Cost: per chunk one plain pass, then for each
/// trial with sinks the rows from the head's first sink on through the layers from its own on (trials.hpp).
[[nodiscard]] search_outcome run_exact_search(const runtime::model& model, const search_plan& plan,
                                              search_state& state, const search_progress& progress = {});

}  // namespace act::search
