// Who runs a search's blocks: this process alone, or many (examples/search/ has MPI's form, which this
// library knows nothing of). What a block's result is depends on the block alone, never on who runs it.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/plan.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trials.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace act::search {

/// What a search hears while blocks are run.
struct block_listener {
  /// A block is done; called once for each, in any order, from the thread that called `run`.
  std::function<void(const trial_block&, block_result)> done;
  /// `trials` more of a block are done (0 where only some layers are); may throw to interrupt, after which
  /// the workers can't be used.
  std::function<void(const trial_block&, std::size_t trials)> advanced;
};

class trial_workers {
 public:
  trial_workers() = default;
  trial_workers(const trial_workers&) = delete;
  trial_workers& operator=(const trial_workers&) = delete;
  virtual ~trial_workers() = default;

  /// Runs all blocks and returns. Throws what running one throws.
  virtual void run(std::span<const trial_block> blocks, const block_listener& listener) = 0;
};

/// Runs single blocks, and keeps the plain pass of the chunk that the last one was of: blocks of one chunk
/// should come one after another.
class block_runner {
 public:
  /// Both must outlive it.
  block_runner(const runtime::model& model, const search_plan& plan) : model_(&model), plan_(&plan) {}

  [[nodiscard]] block_result run(const trial_block& block,
                                 const std::function<void(std::size_t)>& on_batch = {});

 private:
  const runtime::model* model_;
  const search_plan* plan_;
  std::size_t first_sample_ = 0;
  std::optional<trial_runner> runner_;  // of the chunk that begins with that sample
};

/// This process alone, in the order of the blocks.
class local_workers : public trial_workers {
 public:
  local_workers(const runtime::model& model, const search_plan& plan) : runner_(model, plan) {}
  void run(std::span<const trial_block> blocks, const block_listener& listener) override;

 private:
  block_runner runner_;
};

}  // namespace act::search
