// From the scores of a sample's label words to a prediction and to the right label's log-probability.
#pragma once

#include <cstddef>
#include <span>

namespace act::statistics {

/// The label with the largest score, ties to the lower one (prompts: section on scoring). `scores` isn't
/// empty.
[[nodiscard]] std::size_t predicted_label(std::span<const double> scores) noexcept;

/// Log-probability of `label` among the scored words: log softmax of the scores. Natural logarithm.
[[nodiscard]] double label_log_likelihood(std::span<const double> scores, std::size_t label) noexcept;

}  // namespace act::statistics
