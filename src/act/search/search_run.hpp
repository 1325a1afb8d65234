// A search under way: runs the blocks that a strategy asks for, from the state where they are there already,
// and keeps what they say.
#pragma once

#include <act/runtime/model.hpp>
#include <act/search/evidence.hpp>
#include <act/search/layer_trials.hpp>
#include <act/search/plan.hpp>
#include <act/search/state.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_table.hpp>
#include <act/search/trial_workers.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace act::search {

/// How far a search is. Work is counted in trials times the layers that each has to run through.
struct search_advance {
  double part = 0;             ///< what is behind us, 0 .. 1: run, found in the state, or not needed any more
  double computed = 0;         ///< work that this run did
  double left = 0;             ///< work still to be done, as far as is known now
  std::size_t trials = 0;      ///< trials that this run did
  const trial_table& results;  ///< of all blocks that are done
};

/// Called after each plain pass and each batch of trials. May throw to interrupt: what is stored so far stays
/// stored.
using search_progress = std::function<void(const search_advance&)>;

/// What a finished search knows.
struct search_outcome {
  std::size_t samples = 0;
  std::size_t plain_correct = 0;
  std::vector<head_evidence> evidence;  ///< every head of the range, in the order of `trials`
  trial_table trials;                   ///< what the evidence sums up, in the plan's order of samples
  search_work work;
};

class search_run {
 public:
  /// All but `config`, which is the model's, must outlive it.
  search_run(const runtime::model_config& config, const search_plan& plan, search_state& state,
             trial_workers& workers, search_progress progress = {});

  [[nodiscard]] const search_plan& plan() const noexcept { return plan_; }
  [[nodiscard]] std::size_t layers() const noexcept { return layers_; }
  [[nodiscard]] std::size_t heads_a_layer() const noexcept { return heads_; }
  [[nodiscard]] const trial_table& trials() const noexcept { return trials_; }
  /// What block_kind::estimates gave; empty until the first is asked for.
  [[nodiscard]] const trial_table& estimates() const noexcept { return estimates_; }

  /// What the estimates of a layer and strength took, and the rows of trials that they stand for.
  [[nodiscard]] search_work estimates_work(std::size_t layer, std::size_t strength) const;

  /// The blocks' results are in the tables when it returns.
  void run(std::span<const trial_block> blocks);

  /// A head's estimates, which must be known of every sample, stand for its trials, of which none is needed.
  void take_estimates(std::size_t head);
  /// `trials` of a layer won't be needed.
  void spare(std::size_t layer, std::size_t trials);

  /// Ends the search.
  [[nodiscard]] search_outcome finish() &&;

 private:
  [[nodiscard]] double weight(const trial_block& block) const;
  void keep(const trial_block& block, const block_result& result);
  void report() const;

  const search_plan& plan_;
  search_state& state_;
  trial_workers& workers_;
  search_progress progress_;
  std::size_t layers_, heads_;
  trial_table trials_, estimates_;
  std::map<std::pair<std::size_t, std::size_t>, search_work> estimates_work_;  // of each layer and strength
  double total_ = 0, behind_ = 0, computed_ = 0;
  std::size_t trials_run_ = 0;
};

/// A table of the range's heads, by layer, then head, then strength, in which nothing is known yet.
[[nodiscard]] trial_table empty_table(const search_plan& plan, std::size_t heads_a_layer);

/// Every head of a layer, in order.
[[nodiscard]] std::vector<std::size_t> all_heads(std::size_t heads_a_layer);

}  // namespace act::search
