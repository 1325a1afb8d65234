#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/statistics/bootstrap.hpp>
#include <act/statistics/intervals.hpp>
#include <act/statistics/paired_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace act::statistics {

void resample_counts(std::uint64_t stream, std::span<std::uint32_t> counts) noexcept {
  std::fill(counts.begin(), counts.end(), 0U);
  runtime::splitmix64 draw(stream);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    ++counts[static_cast<std::size_t>(draw() % counts.size())];
  }
}

interval percentile_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    const double at = q * static_cast<double>(values.size() - 1);
    const std::size_t below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
  };
  return {quantile(0.025), quantile(0.975)};
}

std::optional<interval> detail::bootstrap_interval(
    std::size_t n, const void* statistic,
    double (*value)(const void* statistic, std::span<const std::uint32_t> counts) noexcept,
    const bootstrap_options& options) {
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
    values[r] = value(statistic, own);
  });
  std::erase_if(values, [](double each) { return std::isnan(each); });
  if (values.empty()) {
    return std::nullopt;
  }
  return percentile_interval(std::move(values));
}

std::optional<interval> mean_interval(std::span<const double> values, const bootstrap_options& options) {
  const auto mean = [&](std::span<const std::uint32_t> counts) noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += counts[i] * values[i];
    }
    return sum / static_cast<double>(values.size());
  };
  return bootstrap_interval(values.size(), mean, options);
}

std::vector<double> right_share(std::span<const outcomes> runs) {
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

std::optional<interval> accuracy_difference_interval(std::span<const outcomes> baseline,
                                                     std::span<const outcomes> calibrated,
                                                     const bootstrap_options& options) {
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
