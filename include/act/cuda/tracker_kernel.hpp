// The start and the step of decode trackers, a block a sequence and head. A step reads the row twice; what it
// keeps per slot, once.
#pragma once

#include <act/cuda/element.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/reduction.hpp>
#include <act/cuda/row_rescaling.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/sink_selection.hpp>
#include <act/cuda/tracker_state.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

/// The heads of a batch and their state.
struct tracker_task {
  int batches, heads, capacity;
  head_bits chosen;
  selection rule;
  tracker_arrays arrays;

  struct place {
    int batch, head;
    std::size_t at, first;  // at: batch * heads + head; first: its slots in the arrays
  };
  ACT_HOST_DEVICE int jobs() const noexcept { return batches * count_heads(chosen, heads); }
  ACT_HOST_DEVICE place place_of(int job) const noexcept {
    const int here = count_heads(chosen, heads);
    const int batch = job / here, head = nth_head(chosen, heads, job % here);
    const std::size_t at =
        static_cast<std::size_t>(batch) * static_cast<std::size_t>(heads) + static_cast<std::size_t>(head);
    return {batch, head, at, at * static_cast<std::size_t>(capacity)};
  }
  ACT_HOST_DEVICE std::uint8_t* bits_of(const place& here) const noexcept {
    return arrays.bits + here.at * 4 * static_cast<std::size_t>(bitmap_words(capacity));
  }
};

/// Whether a slot's sum makes it a sink: sums against the factor times the sum of measures, over the rows
/// that see it, as sink_tracker.hpp compares them.
struct slot_test {
  int first, last;  // slots before the first and from the last on are never sinks
  double factor;
  int least_rows;

  ACT_HOST_DEVICE bool holds(int slot, double sum, double against, int rows) const noexcept {
    return slot >= first && slot < last && rows >= least_rows && sum > factor * against;
  }
};

ACT_HOST_DEVICE inline slot_test test_of(const selection& rule, int initial, int keys) noexcept {
  return {initial + 1, rule.position_limit, rule.factor(keys - initial), rule.min_visible_rows};
}

/// Begins after a prompt whose raw column sums are known.
struct tracker_start_kernel {
  static constexpr int most_threads = 256, least_blocks = 2;

  tracker_task task;
  const double* sums;  // [batch, head, stride]
  std::size_t stride;
  visibility visible;
  int queries;

  [[nodiscard]] static constexpr int shared_bytes(int threads) noexcept { return selection_memory(threads); }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    for (int job = block.index(); job < task.jobs(); job += block.count()) {
      const tracker_task::place here = task.place_of(job);
      const sequence sees = sequence_of(visible, here.batch);
      const int keys = sees.offset + queries;
      const scored_rows rows{sees, sees.offset, keys, keys};
      double* const prefix =
          task.rule.tracks_uniform()
              ? task.arrays.prefix + here.at * (static_cast<std::size_t>(task.capacity) + 1)
              : nullptr;
      if (prefix != nullptr) add_uniform_shares(block, rows, prefix, block.shared());
      const slot_test test = test_of(task.rule, sees.initial, keys);
      std::uint8_t* const bits = task.bits_of(here);
      for (int byte = block.thread(); byte < 4 * bitmap_words(task.capacity); byte += block.threads()) {
        unsigned found = 0;
        for (int j = 8 * byte; j < lesser(8 * byte + 8, keys); ++j) {
          const std::size_t slot = here.first + static_cast<std::size_t>(j);
          const int seeing = rows.rows_seeing(j);
          const double sum = sums[here.at * stride + static_cast<std::size_t>(j)];
          task.arrays.sums[slot] = sum;
          task.arrays.unseen[slot] = queries - seeing;
          double against = static_cast<double>(seeing);
          if (prefix != nullptr) {
            against *= uniform_score(rows, prefix, j);
            task.arrays.uniform[slot] = against;
          }
          if (test.holds(j, sum, against, seeing)) found |= 1U << (j - 8 * byte);
        }
        bits[byte] = static_cast<std::uint8_t>(found);
      }
      if (block.thread() == 0) {
        task.arrays.steps[here.at] = queries;
        task.arrays.keys[here.at] = keys;
      }
      block.sync();  // before the scratch is used again
    }
  }
};

/// One step: adds each sequence's raw row, finds the sinks, calibrates the row.
template <class T>
struct tracker_step_kernel {
  static constexpr int most_threads = 256, least_blocks = 4;

  tracker_task task;
  T* data;  // rows [batch, head, keys]
  std::size_t batch_stride, head_stride;
  int row_keys;
  const int* lengths;  // [batch] keys now, the new one included
  visibility visible;  // query_offset isn't used
  sink_share kept_by_sinks;
  double* moved;  // [batch, head] or null

  [[nodiscard]] static constexpr int shared_bytes() noexcept {
    return most_warps * static_cast<int>(sizeof(pair));
  }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    for (int job = block.index(); job < task.jobs(); job += block.count())
      step(block, task.place_of(job));
  }

 private:
  template <class Block>
  ACT_DEVICE void step(Block& block, const tracker_task::place& here) const noexcept {
    const int keys = lengths[here.batch];
    const int steps = task.arrays.steps[here.at], known = task.arrays.keys[here.at];
    block.sync();  // everyone has read them
    // A sequence that has no row in this step, or one that can't be: nothing of it changes.
    if (keys <= 0 || keys < known || keys > row_keys || keys > task.capacity) {
      if (block.thread() == 0 && moved != nullptr) moved[here.at] = 0;
      return;
    }
    const int initial = visible.first_key == nullptr ? 0 : greater(visible.first_key[here.batch], 0);
    const sequence newest{initial, keys - 1, static_cast<int>(visible.window)};
    const range seen = newest.row(0);
    T* const row = data + (static_cast<std::size_t>(here.batch) * batch_stride +
                           static_cast<std::size_t>(here.head) * head_stride);
    const slot_test test = test_of(task.rule, initial, keys);
    const double share = uniform_share(newest, keys - 1);
    std::uint8_t* const bits = task.bits_of(here);
    pair mass;
    for (int byte = block.thread(); 8 * byte < keys; byte += block.threads()) {
      unsigned found = 0;
      for (int j = 8 * byte; j < lesser(8 * byte + 8, keys); ++j) {
        const bool sees = seen.contains(j), is_new = j >= known;
        const std::size_t slot = here.first + static_cast<std::size_t>(j);
        const float weight = sees ? widen(row[j]) : 0.0F;
        const double sum = (is_new ? 0.0 : task.arrays.sums[slot]) + static_cast<double>(weight);
        int unseen = is_new ? steps : task.arrays.unseen[slot];
        task.arrays.sums[slot] = sum;
        if (!sees) ++unseen;
        if (!sees || is_new) task.arrays.unseen[slot] = unseen;
        double against = static_cast<double>(steps + 1 - unseen);
        if (task.rule.tracks_uniform()) {
          against = (is_new ? 0.0 : task.arrays.uniform[slot]) + (sees ? share : 0.0);
          task.arrays.uniform[slot] = against;
        }
        const bool is_sink = test.holds(j, sum, against, steps + 1 - unseen);
        if (is_sink) found |= 1U << (j - 8 * byte);
        if (is_sink) {
          mass.first += static_cast<double>(weight);
        } else {
          mass.second += static_cast<double>(weight);
        }
      }
      bits[byte] = static_cast<std::uint8_t>(found);
    }
    block_team team(block, static_cast<pair*>(block.shared()));
    mass = team.sum(mass);
    const row_change change =
        kept_by_sinks.beta == 1 ? row_change{} : change_of_row(mass.first, mass.second, kept_by_sinks.beta);
    if (block.thread() == 0) {
      task.arrays.steps[here.at] = steps + 1;
      task.arrays.keys[here.at] = keys;
      if (moved != nullptr) moved[here.at] = change.freed;
    }
    if (!change.changes) return;
    const float elsewhere = static_cast<float>(change.elsewhere);
    for (int byte = block.thread(); 8 * byte < keys; byte += block.threads()) {
      const unsigned found = bits[byte];  // this thread's own
      for (int j = greater(8 * byte, seen.begin); j < lesser(8 * byte + 8, seen.end); ++j) {
        const bool is_sink = (found >> (j - 8 * byte) & 1U) != 0;
        narrow(widen(row[j]) * (is_sink ? kept_by_sinks.rounded : elsewhere), row[j]);
      }
    }
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
