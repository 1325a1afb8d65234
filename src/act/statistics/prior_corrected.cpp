#include <act/error.hpp>
#include <act/statistics/auc.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/prior_corrected.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

namespace {

// Resamples allocate nothing.
constexpr std::size_t most_labels = 64;

// Whether what is asked for is defined.
bool is_defined(std::span<const score_table> runs, std::span<const std::size_t> labels) {
  bool finite = true;
  for (const score_table& scores : runs) {
    if (scores.size() != labels.size())
      throw error(error_code::invalid_shape, "scores", "must be one row for each label");
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (labels[i] >= scores[i].size())
        throw error(error_code::invalid_shape, "scores", "must have one for each sample's label");
      for (const double score : scores[i])
        finite = finite && std::isfinite(score);
    }
  }
  return finite && labels.size() >= 2 && !runs.empty();
}

std::size_t most_answers(std::span<const score_table> runs) {
  std::size_t most = 0;
  for (const score_table& scores : runs) {
    for (const std::vector<double>& row : scores)
      most = std::max(most, row.size());
  }
  return most;
}

// The share of one run's samples, each counted `counts` times, that are right less the means. `sums` and
// `weights` have room for every label.
double right_share(const score_table& scores, std::span<const std::size_t> labels,
                   std::span<const std::uint32_t> counts, std::span<double> sums,
                   std::span<double> weights) noexcept {
  std::fill(sums.begin(), sums.end(), 0.0);
  std::fill(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t label = 0; label < scores[i].size(); ++label) {
      sums[label] += counts[i] * scores[i][label];
      weights[label] += counts[i];
    }
  }
  std::uint64_t right = 0, all = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (counts[i] == 0) continue;
    std::size_t best = 0;
    const auto corrected = [&](std::size_t label) { return scores[i][label] - sums[label] / weights[label]; };
    for (std::size_t label = 1; label < scores[i].size(); ++label) {
      if (corrected(label) > corrected(best)) best = label;
    }
    right += best == labels[i] ? counts[i] : 0;
    all += counts[i];
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

// The mean over runs in one resample.
double mean_share(std::span<const score_table> runs, std::span<const std::size_t> labels,
                  std::span<const std::uint32_t> counts) noexcept {
  std::array<double, most_labels> sums, weights;
  double total = 0;
  for (const score_table& scores : runs)
    total += right_share(scores, labels, counts, sums, weights);
  return total / static_cast<double>(runs.size());
}

}  // namespace

std::optional<double> prior_corrected_accuracy(std::span<const score_table> runs,
                                               std::span<const std::size_t> labels) {
  if (!is_defined(runs, labels)) return std::nullopt;
  const std::vector<std::uint32_t> once(labels.size(), 1);
  std::vector<double> sums(most_answers(runs)), weights(sums.size());
  double total = 0;
  for (const score_table& scores : runs)
    total += right_share(scores, labels, once, sums, weights);
  return total / static_cast<double>(runs.size());
}

std::optional<interval> prior_corrected_interval(std::span<const score_table> runs,
                                                 std::span<const std::size_t> labels,
                                                 const bootstrap_options& options) {
  if (!is_defined(runs, labels) || most_answers(runs) > most_labels) return std::nullopt;
  const auto statistic = [&](std::span<const std::uint32_t> counts) noexcept -> double {
    return mean_share(runs, labels, counts);
  };
  return bootstrap_interval(labels.size(), statistic, options);
}

std::optional<interval> prior_corrected_difference_interval(std::span<const score_table> baseline,
                                                            std::span<const score_table> calibrated,
                                                            std::span<const std::size_t> labels,
                                                            const bootstrap_options& options) {
  if (!is_defined(baseline, labels) || !is_defined(calibrated, labels) ||
      std::max(most_answers(baseline), most_answers(calibrated)) > most_labels)
    return std::nullopt;
  const auto statistic = [&](std::span<const std::uint32_t> counts) noexcept -> double {
    return mean_share(calibrated, labels, counts) - mean_share(baseline, labels, counts);
  };
  return bootstrap_interval(labels.size(), statistic, options);
}

}  // namespace act::statistics
