// What trials say and what they cost: what trials.hpp computes and state.hpp keeps.
#pragma once

#include <cstdint>
#include <vector>

namespace act::search {

/// What a search computed, in rows through a layer (one token, one layer), and what it was spared.
struct search_work {
  std::uint64_t layer_rows_computed = 0;   ///< plain pass and trials together
  std::uint64_t layer_rows_avoided = 0;    ///< what one whole pass for each (sample, head) would have added
  std::uint64_t trials = 0;                ///< (sample, head) pairs
  std::uint64_t trials_without_sinks = 0;  ///< of these, answered by the plain pass

  search_work& operator+=(const search_work& other) noexcept {
    layer_rows_computed += other.layer_rows_computed;
    layer_rows_avoided += other.layer_rows_avoided;
    trials += other.trials;
    trials_without_sinks += other.trials_without_sinks;
    return *this;
  }
  friend bool operator==(const search_work&, const search_work&) = default;
};

/// Scores of one layer's trials: `scores[sample * heads + head]`, a number for each of the sample's answers
/// as score_samples.hpp has them: logits of words (greedy: and of the best other token), or log-likelihoods a
/// byte of options.
struct layer_trials {
  std::vector<std::vector<double>> scores;
  std::vector<std::uint8_t> has_sinks;  ///< [sample * heads + head]: in any of the sample's texts
  /// [sample * heads + head]: what the head gives the initial token in the plain pass (the mean over rows
  /// that see it), a mean over the sample's texts.
  std::vector<double> initial_mass = {};
  search_work work;
};

}  // namespace act::search
