#include <act/search/trial_workers.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace act::search {

block_result block_runner::run(const trial_block& block, const std::function<void(std::size_t)>& on_batch) {
  if (!runner_ || first_sample_ != block.chunk.begin) {
    runner_.reset();  // before the next one takes its memory
    runner_.emplace(*model_, std::span(plan_->samples).subspan(block.chunk.begin, block.chunk.size()),
                    plan_->options, plan_->range, plan_->masks, plan_->strengths);
    first_sample_ = block.chunk.begin;
  }
  if (block.kind == block_kind::plain) {
    return {.scores = runner_->plain_scores(),
            .has_sinks = {},
            .initial_mass = {},
            .work = runner_->plain_work()};
  }
  if (block.kind == block_kind::trials)
    return runner_->run(block.layer, block.heads, on_batch, block.strength);
  return runner_->estimate(block.layer, block.heads, block.strength, [&] {
    if (on_batch) on_batch(0);
  });
}

void local_workers::run(std::span<const trial_block> blocks, const block_listener& listener) {
  for (const trial_block& block : blocks) {
    block_result result = runner_.run(block, [&](std::size_t trials) { listener.advanced(block, trials); });
    listener.done(block, std::move(result));
  }
}

}  // namespace act::search
