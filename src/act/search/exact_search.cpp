#include <act/runtime/model.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/plan.hpp>
#include <act/search/search_run.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_workers.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace act::search {

std::vector<trial_block> exact_blocks(const search_plan& plan, std::size_t heads_a_layer) {
  std::vector<trial_block> blocks;
  for (const sample_chunk& chunk : plan.chunks()) {
    blocks.push_back({.kind = block_kind::plain, .chunk = chunk});
    for (std::size_t layer = plan.range.first; layer <= plan.range.last; ++layer) {
      for (std::size_t strength = 0; strength < plan.strength_count(); ++strength) {
        blocks.push_back({.kind = block_kind::trials,
                          .chunk = chunk,
                          .layer = layer,
                          .heads = all_heads(heads_a_layer),
                          .strength = strength});
      }
    }
  }
  return blocks;
}

search_outcome run_exact_search(const runtime::model& model, const search_plan& plan, search_state& state,
                                const search_progress& progress) {
  local_workers workers(model, plan);
  search_run run(model.config, plan, state, workers, progress);
  run.run(exact_blocks(plan, model.config.heads));
  return std::move(run).finish();
}

}  // namespace act::search
