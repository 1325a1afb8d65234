#include <act/statistics/label_likelihood.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::statistics {

std::size_t predicted_label(std::span<const double> scores) noexcept {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

double label_log_likelihood(std::span<const double> scores, std::size_t label) noexcept {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores)
    sum += std::exp(score - largest);
  return scores[label] - largest - std::log(sum);
}

}  // namespace act::statistics
