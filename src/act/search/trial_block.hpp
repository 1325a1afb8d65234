// What a search is cut into: blocks that can be run in any order, by any process that has the model and the
// plan, and are stored whole.
#pragma once

#include <act/search/layer_trials.hpp>
#include <act/search/sample_chunk.hpp>

#include <cstddef>
#include <vector>

namespace act::search {

enum class block_kind {
  plain,      ///< the samples' plain scores
  trials,     ///< one layer's trials, of some heads at one strength
  estimates,  ///< the same, estimated by trial_runner::estimate
};

struct trial_block {
  block_kind kind = block_kind::plain;
  sample_chunk chunk;
  std::size_t layer = 0;                ///< none of a plain pass
  std::vector<std::size_t> heads = {};  ///< ascending; none of a plain pass
  std::size_t strength = 0;             ///< number among the plan's

  /// (sample, head) pairs.
  [[nodiscard]] std::size_t trials() const noexcept { return chunk.size() * heads.size(); }
  friend bool operator==(const trial_block& a, const trial_block& b) {
    return a.kind == b.kind && a.chunk.begin == b.chunk.begin && a.chunk.end == b.chunk.end &&
           a.layer == b.layer && a.heads == b.heads && a.strength == b.strength;
  }
};

/// What running a block gives: `layer_trials` with a place for each of its heads; of a plain pass a place for
/// each sample, and neither sinks nor masses.
using block_result = layer_trials;

}  // namespace act::search
