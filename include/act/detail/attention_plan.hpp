// How a call that begins at Q, K and V divides its work and memory: what calibrated_attention.hpp and its
// siblings decide before they begin. Computes no attention.
#pragma once

#include <act/attention_workspace.hpp>
#include <act/column_scores.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/chosen_columns.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/parallel.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Calls of fewer multiply-adds than this stay on their own thread.
inline constexpr std::size_t attention_worth_threads = std::size_t{1} << 19;

/// Numbers of a call: `jobs` heads on `workers` threads, each with memory for one head of `shape`; `entries`
/// heads are calibrated and reported.
template <class T, class Arch>
struct attention_plan {
  typename attention_head<T, Arch>::shape shape;
  std::size_t jobs = 0, workers = 1, entries = 0;

  /// `heads_each` heads of a batch entry are computed, `entries_each` of them calibrated.
  attention_plan(const head_tensor<const T>& q, const head_tensor<const T>& k, std::size_t value_channels,
                 std::size_t heads_each, std::size_t entries_each) noexcept
      : shape{q.tokens, k.tokens, q.channels, value_channels},
        jobs(q.tokens == 0 ? 0 : q.batches * heads_each),
        entries(q.tokens == 0 ? 0 : q.batches * entries_each) {
    const bool small = jobs * q.tokens * k.tokens * (q.channels + value_channels) < attention_worth_threads;
    if (!small) workers = std::max<std::size_t>(1, std::min(jobs, thread_count()));
  }

  /// Throws act::error (unsupported) where maps of heads are kept and no address space would hold them.
  void reserve(attention_workspace<accumulator_t<T>>& workspace) const {
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(accumulator_t<T>);
    if (shape.score_rows > most / 2 / workers / shape.score_stride()) {
      detail::raise(error_code::unsupported, "q", "has too many rows for a map of a head to be kept");
    }
    workspace.reserve(workers, shape.memory(), entries, shape.keys);
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return workers * shape.memory() * sizeof(accumulator_t<T>);
  }
};

/// Sums of a call's rows become scores: with the rows of a prompt's earlier chunks, where `carried` has them,
/// which then has this chunk's too. `head` counts over all batch entries.
inline void score_columns(std::span<double> sums, const attention_options& options,
                          const carried_columns& carried, std::size_t batch, std::size_t head,
                          std::size_t queries) noexcept {
  if (!carried.empty()) {
    double* const so_far = carried.of_head(head);
    for (std::size_t j = 0; j < sums.size(); ++j)
      sums[j] = so_far[j] += sums[j];
  }
  const std::size_t offset = options.visible.query_offset;
  divide_by_rows(options.visible, batch, carried.empty() ? offset : 0, offset + queries, sums);
}

/// The sinks among these scores, to `positions`. Returns how many.
[[nodiscard]] inline std::size_t collect_sinks(std::span<const double> scores,
                                               const attention_options& options,
                                               const carried_columns& carried, const sink_options& rule,
                                               std::size_t batch, std::size_t queries,
                                               std::span<std::size_t> positions) noexcept {
  const std::size_t offset = options.visible.query_offset;
  std::size_t count = 0;
  for_each_sink(scores, options.visible, batch, carried.empty() ? offset : 0, offset + queries, rule,
                compatibility::none,
                [&](std::size_t position, double) noexcept { positions[count++] = position; });
  return count;
}

/// The columns that calibration changes, to `positions`: sinks among these scores, or those that the options
/// choose. Returns how many.
[[nodiscard]] inline std::size_t find_columns(std::span<const double> scores,
                                              const attention_options& options,
                                              const carried_columns& carried,
                                              const calibration_options& calibration, std::size_t batch,
                                              std::size_t queries,
                                              std::span<std::size_t> positions) noexcept {
  if (calibration.columns == column_choice::sinks)
    return collect_sinks(scores, options, carried, calibration.sinks, batch, queries, positions);
  return collect_columns(calibration, options.visible, batch, positions.size(), positions);
}

/// How many of the columns that were changed are sinks, for a report.
[[nodiscard]] inline std::size_t sinks_among(std::size_t columns,
                                             const calibration_options& calibration) noexcept {
  return calibration.columns == column_choice::sinks ? columns : 0;
}

/// Calls use(worker, packed, job) for every job; `packed` goes with the worker.
template <class Packed, class Use>
void for_each_job(std::size_t workers, std::size_t jobs, Use&& use) noexcept {
  std::atomic<std::size_t> next{0};
  parallel_for(workers, [&](std::size_t worker) noexcept {
    Packed packed;
    for (std::size_t job = next++; job < jobs; job = next++)
      use(worker, packed, job);
  });
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
