// From partial column sums, or scores that the caller brings, to sinks: a block a head.
#pragma once

#include <act/cuda/attention_task.hpp>
#include <act/cuda/column_sums.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/sink_selection.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::cuda::detail {

struct selection_kernel {
  static constexpr int most_threads = 256, least_blocks = 2;

  attention_task task;
  selection rule;
  const double* given;  // [head][keys] scores, or null

  [[nodiscard]] static constexpr int shared_bytes(int threads) noexcept { return selection_memory(threads); }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    for (int job = block.index(); job < task.jobs(); job += block.count()) {
      const attention_task::place here = task.place_of(job);
      const scored_rows rows = task.rows_of(here);
      const std::size_t first = here.at * task.key_count();
      double* const scores = task.memory.scores + first;
      for (int key = block.thread(); key < task.keys; key += block.threads()) {
        scores[key] = given != nullptr ? given[first + static_cast<std::size_t>(key)]
                                       : score_of(task.partial_of(here), task.chunks, rows, key,
                                                  task.carried == nullptr ? nullptr : task.carried + first);
      }
      block.sync();
      const std::size_t words = static_cast<std::size_t>(bitmap_words(task.keys));
      select_sinks(
          block, rule, rows,
          task.memory.prefix == nullptr ? nullptr : task.memory.prefix + here.at * (task.key_count() + 1),
          block.shared(),
          {task.memory.bits + here.at * words, task.memory.positions + first, task.memory.counts + here.at},
          [&](int key) { return scores[key]; });
    }
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
