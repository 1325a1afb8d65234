// What the trials say about each head: how many samples it gained and lost, and how much likelier it made the
// right answer.
#pragma once

#include <act/statistics/label_likelihood.hpp>
#include <cstddef>
#include <span>
#include <vector>

namespace act::search {

/// One head's record over all held-out samples.
struct head_evidence {
  std::size_t layer = 0;
  std::size_t head = 0;
  std::size_t correct = 0;     ///< samples answered right with this head alone calibrated
  std::size_t gained = 0;      ///< of these, wrong without it
  std::size_t lost = 0;        ///< right without it, wrong with it
  std::size_t with_sinks = 0;  ///< samples in which the head had a sink at all
  /// Mean change of the right answer's log-probability by a softmax over the sample's scores: over the logits
  /// of its words (greedy: and of the best other token), or over the log-likelihoods a byte of its options.
  /// The latter is no probability of the model's, but moves as its ranking does.
  double log_likelihood_gain = 0;

  [[nodiscard]] long long net() const noexcept {
    return static_cast<long long>(gained) - static_cast<long long>(lost);
  }
};

/// One sample's scores without and with one head calibrated.
struct trial_outcome {
  std::span<const double> plain;
  std::span<const double> calibrated;
  std::size_t label = 0;
  bool has_sinks = false;
};

/// Adds one outcome to the sums; call `finish` once all are in.
inline void add(head_evidence& evidence, const trial_outcome& outcome) {
  const bool before = statistics::predicted_label(outcome.plain) == outcome.label;
  const bool after = statistics::predicted_label(outcome.calibrated) == outcome.label;
  evidence.correct += after ? 1 : 0;
  evidence.gained += after && !before ? 1 : 0;
  evidence.lost += before && !after ? 1 : 0;
  evidence.with_sinks += outcome.has_sinks ? 1 : 0;
  if (outcome.has_sinks) {
    evidence.log_likelihood_gain += statistics::label_log_likelihood(outcome.calibrated, outcome.label) -
                                    statistics::label_log_likelihood(outcome.plain, outcome.label);
  }
}

inline void finish(head_evidence& evidence, std::size_t samples) {
  if (samples > 0) evidence.log_likelihood_gain /= static_cast<double>(samples);
}

}  // namespace act::search
