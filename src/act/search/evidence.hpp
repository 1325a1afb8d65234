// What the trials say about each head and strength: how many samples it gained and lost, and how much
// likelier it made the right answer.
#pragma once

#include <act/search/trial_table.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace act::search {

/// One head's record over all held-out samples.
struct head_evidence {
  std::size_t layer = 0;
  std::size_t head = 0;
  std::optional<double> strength = {};  ///< that it was calibrated with; none where there is one for all
  std::size_t tried = 0;                ///< samples that it was tried on; what follows is of these
  bool estimated = false;               ///< no trial was run: what follows is estimated (ranked_search.hpp)
  std::size_t correct = 0;              ///< samples answered right with this head alone calibrated
  std::size_t gained = 0;               ///< of these, wrong without it
  std::size_t lost = 0;                 ///< right without it, wrong with it
  std::size_t with_sinks = 0;           ///< samples in which the head had a sink at all
  /// Mean change of the right answer's log-probability by a softmax over the sample's scores: over the logits
  /// of its words (greedy: and of the best other token), or over the log-likelihoods a byte of its options.
  /// The latter is no probability of the model's, but moves as its ranking does.
  double log_likelihood_gain = 0;

  [[nodiscard]] long long net() const noexcept {
    return static_cast<long long>(gained) - static_cast<long long>(lost);
  }
};

/// Each head's record, in the table's order, over the samples that it has been tried on.
[[nodiscard]] std::vector<head_evidence> evidence_of(const trial_table& trials);

}  // namespace act::search
