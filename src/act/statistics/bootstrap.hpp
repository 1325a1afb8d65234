// The paired bootstrap: how far a statistic of this data set's samples would move with other samples of the
// same kind. What is drawn are samples: everything measured on one sample (plain and calibrated, every
// few-shot seed) is drawn with it. So runs with several seeds get the width that the number of samples
// allows, not that of samples x seeds.
#pragma once

#include <act/statistics/intervals.hpp>
#include <act/statistics/paired_tests.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace act::statistics {

struct bootstrap_options {
  std::size_t resamples = 10000;  ///< >= 1
  std::uint64_t seed = 0;         ///< the same seed gives the same interval, whatever the threads
};

/// How often each of n samples is drawn in one resample of n draws with replacement: index = draw % n from
/// splitmix64(stream). `counts` has n elements, n >= 1.
void resample_counts(std::uint64_t stream, std::span<std::uint32_t> counts) noexcept;

/// The 2.5 % and 97.5 % quantiles of `values`, linear between neighbours. Precondition: at least one value,
/// none NaN.
[[nodiscard]] interval percentile_interval(std::vector<double> values);

namespace detail {

/// `value(statistic, counts)` is the statistic's; see bootstrap_interval below.
[[nodiscard]] std::optional<interval> bootstrap_interval(
    std::size_t n, const void* statistic,
    double (*value)(const void* statistic, std::span<const std::uint32_t> counts) noexcept,
    const bootstrap_options& options);

}  // namespace detail

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
  return detail::bootstrap_interval(
      n, &statistic,
      [](const void* each, std::span<const std::uint32_t> counts) noexcept -> double {
        return (*static_cast<const Statistic*>(each))(counts);
      },
      options);
}

/// Interval of the mean of one value a sample. Empty for no values.
[[nodiscard]] std::optional<interval> mean_interval(std::span<const double> values,
                                                    const bootstrap_options& options = {});

/// Of every sample, the share of runs (few-shot seeds) that answered it right; a single run gives 0s and 1s.
/// Throws error (invalid_shape) when the runs don't have equally many samples.
[[nodiscard]] std::vector<double> right_share(std::span<const outcomes> runs);

/// Interval of the accuracy difference, calibrated less baseline, of one run or the mean over several. Sample
/// i must be the same in all runs. Throws error (invalid_shape) where sizes differ; empty for no samples.
[[nodiscard]] std::optional<interval> accuracy_difference_interval(std::span<const outcomes> baseline,
                                                                   std::span<const outcomes> calibrated,
                                                                   const bootstrap_options& options = {});

}  // namespace act::statistics
