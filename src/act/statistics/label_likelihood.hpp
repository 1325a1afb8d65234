// From the scores of a sample's label words to a prediction and to the right label's log-probability.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::statistics {

/// The label with the largest score, ties to the lower one (prompts: section on scoring). `scores` isn't
/// empty.
[[nodiscard]] inline std::size_t predicted_label(std::span<const double> scores) noexcept {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

/// Log-probability of `label` among the scored words: log softmax of the scores. Natural logarithm.
[[nodiscard]] inline double label_log_likelihood(std::span<const double> scores, std::size_t label) noexcept {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores)
    sum += std::exp(score - largest);
  return scores[label] - largest - std::log(sum);
}

}  // namespace act::statistics
