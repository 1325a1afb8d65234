// The exact head search: every head of the range, every sample, resumable.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_run.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_block.hpp>

#include <vector>

namespace act::search {

/// All of an exact search: of each chunk the plain pass, then each layer's trials, strength by strength.
[[nodiscard]] std::vector<trial_block> exact_blocks(const search_plan& plan, std::size_t heads_a_layer);

/// Runs what `state` doesn't hold yet, in this process, and returns the evidence. Cost: per chunk one plain
/// pass, then for each trial with sinks the rows from the head's first sink on through the layers from its
/// own on (trials.hpp).
[[nodiscard]] search_outcome run_exact_search(const runtime::model& model, const search_plan& plan,
                                              search_state& state, const search_progress& progress = {});

}  // namespace act::search
