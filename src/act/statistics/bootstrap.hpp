// The paired bootstrap: how far a statistic of this data set's samples would move with other samples of the
// same kind. What is drawn are samples: everything measured on one sample (plain and calibrated, every
// few-shot seed) is drawn with it. So runs with several seeds get the width that the number of samples
// allows, not that of samples x seeds.
#pragma once

#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/paired_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace act::statistics {

struct bootstrap_options {
  std::size_t resamples = 10000;  ///< >= 1
  std::uint64_t seed = 0;         ///< the same seed gives the same interval, whatever the threads
};

/// How often each of n samples is drawn in one resample of n draws with replacement: index = draw % n from
/// splitmix64(stream). `counts` has n elements, n >= 1.
inline void resample_counts(std::uint64_t stream, std::span<std::uint32_t> counts) noexcept {
  std::fill(counts.begin(), counts.end(), 0U);
  runtime::splitmix64 draw(stream);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    ++counts[static_cast<std::size_t>(draw() % counts.size())];
  }
}

/// The 2.5 % and 97.5 % quantiles of `values`, linear between neighbours. Precondition: at least one value,
/// none NaN.
[[nodiscard]] inline interval percentile_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(values.size() - 1);
    const std::size_t below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {quantile(0.025), quantile(0.975)};
}

/// Percentile interval of `statistic(counts)` over resamples of n samples; counts[i] says how often sample i
/// was drawn. The statistic must be noexcept, is called from several threads at once, and returns NaN where
/// it is undefined (such a resample is left out). Resample r uses the stream seeded by draw r of
/// splitmix64(options.seed). Empty for n = 0 and when no resample has a value. Throws error (invalid_option)
/// for no resamples. Cost: resamples x (n draws + one statistic) over all threads; n counts of memory a
/// thread.
template <class Statistic>
requires std::is_nothrow_invocable_r_v<double, const Statistic&, std::span<const std::uint32_t>>
[[nodiscard]] std::optional<interval> bootstrap_interval(std::size_t n, const Statistic& statistic,
                                                         const bootstrap_options& options = {}) {
  if (options.resamples == 0) {
    throw error(error_code::invalid_option, "resamples", "must be at least 1");
  }
  if (n == 0) {
    return std::nullopt;
  }
  std::vector<std::uint64_t> streams(options.resamples);
  std::generate(streams.begin(), streams.end(), runtime::splitmix64(options.seed));
  std::vector<double> values(options.resamples);
  std::vector<std::uint32_t> counts(n * thread_count());
  parallel_for(options.resamples, [&](std::size_t r, std::size_t worker) noexcept {
    const std::span<std::uint32_t> own(counts.data() + worker * n, n);
    resample_counts(streams[r], own);
    values[r] = statistic(std::span<const std::uint32_t>(own));
  });
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) {
    return std::nullopt;
  }
  return percentile_interval(std::move(values));
}

/// Interval of the mean of one value a sample. Empty for no values.
[[nodiscard]] inline std::optional<interval> mean_interval(std::span<const double> values,
                                                           const bootstrap_options& options = {}) {
  const auto mean = [&](std::span<const std::uint32_t> counts) noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += counts[i] * values[i];
    }
    return sum / static_cast<double>(values.size());
  };
  return bootstrap_interval(values.size(), mean, options);
}

/// Of every sample, the share of runs (few-shot seeds) that answered it right; a single run gives 0s and 1s.
/// Throws error (invalid_shape) when the runs don't have equally many samples.
[[nodiscard]] inline std::vector<double> right_share(std::span<const outcomes> runs) {
  std::vector<double> share(runs.empty() ? 0 : runs.front().size());
  for (const outcomes& run : runs) {
    if (run.size() != share.size()) {
      throw error(error_code::invalid_shape, "runs", "must all have the same samples");
    }
    for (std::size_t i = 0; i < share.size(); ++i) {
      share[i] += run[i] ? 1.0 / static_cast<double>(runs.size()) : 0.0;
    }
  }
  return share;
}

/// Interval of the accuracy difference, calibrated less baseline, of one run or the mean over several. Sample
/// i must be the same in all runs. Throws error (invalid_shape) where sizes differ; empty for no samples.
[[nodiscard]] inline std::optional<interval> accuracy_difference_interval(
    std::span<const outcomes> baseline, std::span<const outcomes> calibrated,
    const bootstrap_options& options = {}) {
  const std::vector<double> before = right_share(baseline);
  std::vector<double> gain = right_share(calibrated);
  if (before.size() != gain.size()) {
    throw error(error_code::invalid_shape, "calibrated", "must have as many samples as baseline");
  }
  for (std::size_t i = 0; i < gain.size(); ++i) {
    gain[i] -= before[i];
  }
  return mean_interval(gain, options);
}

}  // namespace act::statistics
