// How a call that begins at Q, K and V divides its work and memory: what calibrated_attention.hpp and its
// siblings decide before they begin. Computes no attention.
#pragma once

#include <act/attention_view.hpp>
#include <act/column_scores.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/chosen_columns.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/sinks.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Calls of fewer multiply-adds than this stay on their own thread.
inline constexpr std::size_t attention_worth_threads = std::size_t{1} << 19;

/// Numbers of a call: `jobs` heads on `workers` threads, each with memory for one head of any batch entry;
/// `entries` heads are calibrated and reported, each with up to `keys` keys.
template <class Types, class Arch>
struct attention_plan {
  using A = typename Types::accumulator;
  using shape_type = typename attention_head<Types, Arch>::shape;

  std::size_t jobs = 0, workers = 1, entries = 0, keys = 0;
  std::size_t worker_size = 0;  ///< accumulators
  bool with_marks = false;      ///< whether maps of heads are calibrated
  bool fits = true;             ///< whether an address space would hold the maps of heads that are kept

  /// `heads_each` heads of a batch entry are computed, `entries_each` of them calibrated; shape_of(one) is
  /// what a head of the request's batch entry `one` takes.
  template <class Shape>
  attention_plan(const attention_request<Types>& of, std::size_t heads_each, std::size_t entries_each,
                 const executor& on, Shape&& shape_of) noexcept {
    if (of.q.tokens == 0 || of.q.batches == 0) return;
    jobs = of.q.batches * heads_each;
    entries = of.q.batches * entries_each;
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(A);
    for (std::size_t b = 0; b < (of.options.visible.ragged() ? of.q.batches : 1); ++b) {
      const attention_request<Types> one = of.entry(b);
      keys = std::max(keys, one.k.tokens);
      const shape_type shape = shape_of(one);
      fits = fits && shape.score_rows <= most / 2 / most_workers / shape.score_stride();
      worker_size = std::max(worker_size, shape.memory());
    }
    constexpr std::size_t line = 64 / sizeof(A);
    worker_size = (worker_size + line - 1) / line * line;
    const bool small = jobs * of.q.tokens * keys * (of.q.channels + of.v.channels) < attention_worth_threads;
    workers = workers_for(on, jobs, small);
  }

  [[nodiscard]] refusal check() const noexcept {
    return fits ? refusal{} : not_done("q", "has too many rows for a map of a head to be kept");
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    memory_parts parts;
    attention_memory(parts, *this);
    return jobs == 0 ? 0 : parts.used();
  }

  /// What a call works in.
  struct attention_memory {
    attention_memory(memory_parts& parts, const attention_plan& plan) noexcept
        : heads(parts, plan.entries, plan.keys, plan.with_marks),
          blocks(parts.take<A>(plan.workers * plan.worker_size)),
          worker_size(plan.worker_size) {}

    [[nodiscard]] std::span<A> of_worker(std::size_t worker) const noexcept {
      return {blocks + worker * worker_size, worker_size};
    }

    chosen_memory heads;
    A* blocks;
    std::size_t worker_size;
  };

 private:
  static constexpr std::size_t most_workers = std::size_t{1} << 16;
};

/// Sums of the rows of one batch entry become scores: with the rows of a prompt's earlier chunks, where
/// `carried` has them, which then has this chunk's too. `head` counts over all batch entries; `options` are
/// the entry's.
inline void score_columns(std::span<double> sums, const attention_options& options,
                          const carried_columns& carried, std::size_t head, std::size_t queries) noexcept {
  if (!carried.empty()) {
    double* const so_far = carried.of_head(head);
    for (std::size_t j = 0; j < sums.size(); ++j)
      sums[j] = so_far[j] += sums[j];
  }
  const std::size_t offset = options.visible.query_offset;
  divide_by_rows(options.visible, 0, carried.empty() ? offset : 0, offset + queries, sums);
}

/// The sinks among these scores, to `positions`. Returns how many.
[[nodiscard]] inline std::size_t collect_sinks(std::span<const double> scores,
                                               const attention_options& options,
                                               const carried_columns& carried, const sink_options& rule,
                                               std::size_t queries,
                                               std::span<std::size_t> positions) noexcept {
  const std::size_t offset = options.visible.query_offset;
  std::size_t count = 0;
  for_each_sink(scores, options.visible, 0, carried.empty() ? offset : 0, offset + queries, rule,
                compatibility::none,
                [&](std::size_t position, double) noexcept { positions[count++] = position; });
  return count;
}

/// The columns that calibration changes, to `positions`: sinks among these scores, or those that the options
/// choose. Returns how many.
[[nodiscard]] inline std::size_t find_columns(std::span<const double> scores,
                                              const attention_options& options,
                                              const carried_columns& carried,
                                              const calibration_options& calibration, std::size_t queries,
                                              std::span<std::size_t> positions) noexcept {
  if (calibration.columns == column_choice::sinks)
    return collect_sinks(scores, options, carried, calibration.sinks, queries, positions);
  return collect_columns(calibration, options.visible, 0, positions.size(), positions);
}

/// How many of the columns that were changed are sinks, for a report.
[[nodiscard]] inline std::size_t sinks_among(std::size_t columns,
                                             const calibration_options& calibration) noexcept {
  return calibration.columns == column_choice::sinks ? columns : 0;
}

/// Rows of padding of a ragged batch's head are 0, as rows that see nothing are.
template <class T>
void clear_padding(const head_tensor<T>& out, const visibility& visible, std::size_t batch,
                   std::size_t head) noexcept {
  if (out.data == nullptr) return;
  for (std::size_t i = visible.rows(batch, out.tokens); i < out.tokens; ++i)
    std::fill_n(out.row(batch, head, i), out.channels, element_traits<T>::store(0));
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
