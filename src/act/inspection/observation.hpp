// What is seen of a prompt's attention: the sinks of every head and how much of the attention they hold.
// Values only; observe.hpp makes them, summary.hpp adds them up.
#pragma once

#include <act/inspection/map_picture.hpp>
#include <act/inspection/score_histogram.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <vector>

namespace act::inspection {

/// A sink of one head.
struct observed_sink {
  std::size_t position = 0;
  double score = 0;  ///< mean weight from the rows that see it: what the rule looks at
  double mass = 0;   ///< mean weight from all rows: its share of the head's attention
};

/// One head on one prompt. Shares are of the head's whole attention: every row's is 1.
struct head_observation {
  std::vector<observed_sink> sinks = {};  ///< ascending by position; never the first token
  double sink_mass = 0;                   ///< share on all sinks together
  double first_mass = 0;                  ///< share on the first token
  bool first_over_threshold = false;      ///< its score is over the threshold, as sinks' are
  score_histogram scores = {};            ///< of every token
};

/// Every head on one prompt.
struct prompt_observation {
  std::size_t layers = 0;
  std::size_t heads = 0;
  std::vector<runtime::token_id> tokens = {};
  std::vector<head_observation> found = {};  ///< [layer * heads + head]
  std::vector<map_picture> pictures = {};    ///< [layer * heads + head]; empty unless asked for
  std::vector<map_picture> calibrated = {};  ///< the same as calibration leaves them; empty unless asked for
  std::vector<std::vector<double>> received =
      {};  ///< with pictures: the share each token gets, [head][token]

  [[nodiscard]] const head_observation& at(std::size_t layer, std::size_t head) const noexcept {
    return found[layer * heads + head];
  }
};

}  // namespace act::inspection
