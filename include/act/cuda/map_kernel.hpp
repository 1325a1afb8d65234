// One kernel that calibrates a whole map: blocks take work items by ticket. First come the column sums of one
// head, then of the next; some heads later the first one's rows are rescaled, while they are still in the
// second-level cache.
//
// Items of column sums wait for nobody; the last of a head's finds its sinks. An item that rescales waits
// until its head's sinks are there, which only items with earlier tickets have to do, and those are held by
// blocks that run: so nothing waits for a block that hasn't started, whatever the size of the grid.
#pragma once

#include <act/cuda/column_sums.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/reduction.hpp>
#include <act/cuda/row_rescaling.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/sink_selection.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

/// How the work on one head is cut up.
struct map_plan {
  int threads;        // of a block
  row_chunks chunks;  // for column sums
  int lanes;          // threads beside each other in a row; where few fill it, a block takes several chunks
  int groups;         // of lanes in a block: chunks an item
  int tiles;          // of columns; chunk_sets() * tiles items of column sums a head
  int rows_per_item;  // of rescaling
  int row_items;      // a head; 0: nothing is rescaled (beta = 1)
  bool row_per_warp;  // whether a warp or a block holds a row
  int lag;            // heads between column sums and rescaling

  ACT_HOST_DEVICE int chunk_sets() const noexcept { return ceil_div(chunks.count(), groups); }
  ACT_HOST_DEVICE int column_items() const noexcept { return chunk_sets() * tiles; }
};

/// Arrays in the workspace or the report, each with an entry (or a row) for every head of every batch entry.
struct map_memory {
  int* ticket;            // one; it and the next three begin as zeros
  int* tile_parts;        // [head][tile] column items done
  int* tiles_done;        // [head]
  int* row_items_done;    // [head]
  int* ready;             // [head] 1 when its sinks are there
  double* partial;        // [head][chunk][keys]
  double* scores;         // [head][keys]
  double* prefix;         // [head][keys + 1], baseline-corrected rule only
  std::uint32_t* bits;    // [head][words]
  int* positions;         // [head][keys]
  int* counts;            // [head]
  double* moved_by_item;  // [head][row item]
  double* moved;          // [head] or null: not wanted
};

template <class T, int Width>
struct map_kernel {
  T* data;
  std::size_t batch_stride, head_stride, query_stride;
  int batches, heads, queries, keys;
  visibility visible;
  double* carried;  // [head][keys] or null
  head_bits chosen;
  selection rule;
  sink_share kept_by_sinks;
  map_plan plan;
  map_memory memory;

  static constexpr int most_threads = 256, least_blocks = 3;

  /// Shared memory of a block, in bytes: its own few numbers, then a scratch for sums.
  struct shared_numbers {
    int ticket, last;
    pair warps[most_warps];
  };
  [[nodiscard]] static constexpr int shared_bytes(int threads) noexcept {
    return static_cast<int>(sizeof(shared_numbers)) + selection_memory(threads);
  }

  template <class Block>
  ACT_DEVICE void operator()(Block& block) const noexcept {
    auto* const shared = reinterpret_cast<shared_numbers*>(block.shared());
    const int chosen_heads = count_heads(chosen, heads);
    const int jobs = batches * chosen_heads;
    const int step_items = plan.column_items() + plan.row_items;
    const long long steps = jobs == 0 ? 0 : jobs + (plan.row_items == 0 ? 0 : plan.lag);
    for (;;) {
      if (block.thread() == 0) shared->ticket = block.add(memory.ticket, 1);
      block.sync();
      const int ticket = shared->ticket;
      block.sync();
      if (ticket >= steps * step_items) return;
      const int step = ticket / step_items, item = ticket % step_items;
      const bool sums = item < plan.column_items();
      const int job = sums ? step : step - plan.lag;
      if (job < 0 || job >= jobs) continue;
      const place here = place_of(job, chosen_heads);
      if (sums) {
        add_columns(block, *shared, here, item);
      } else {
        rescale(block, *shared, here, item - plan.column_items());
      }
    }
  }

 private:
  struct place {
    int batch, head;
    std::size_t at;  // batch * heads + head
    sequence sees;
  };

  ACT_DEVICE place place_of(int job, int chosen_heads) const noexcept {
    const int batch = job / chosen_heads, head = nth_head(chosen, heads, job % chosen_heads);
    return {
        batch, head,
        static_cast<std::size_t>(batch) * static_cast<std::size_t>(heads) + static_cast<std::size_t>(head),
        sequence_of(visible, batch)};
  }
  ACT_DEVICE T* first_row(const place& here) const noexcept {
    return data + (static_cast<std::size_t>(here.batch) * batch_stride +
                   static_cast<std::size_t>(here.head) * head_stride);
  }
  ACT_DEVICE scored_rows rows_of(const place& here) const noexcept {
    return {here.sees, carried == nullptr ? here.sees.offset : 0, here.sees.offset + queries, keys};
  }

  template <class Block>
  ACT_DEVICE void add_columns(Block& block, shared_numbers& shared, const place& here,
                              int item) const noexcept {
    const int tile = item % plan.tiles;
    const int chunk = item / plan.tiles * plan.groups + block.thread() / plan.lanes;
    const std::size_t columns = static_cast<std::size_t>(keys);
    double* const partial =
        memory.partial + here.at * static_cast<std::size_t>(plan.chunks.count()) * columns;
    const int first_key = (tile * plan.lanes + block.thread() % plan.lanes) * Width;
    const range seen = chunk < plan.chunks.count() ? plan.chunks.keys(chunk, here.sees) : range{};
    if (first_key < seen.end && first_key + Width > seen.begin) {
      double sums[Width] = {};
      add_rows<T, Width>(first_row(here), query_stride, keys, here.sees, plan.chunks.first(chunk),
                         plan.chunks.last(chunk), first_key, sums);
      for (int e = 0; e < Width; ++e) {
        if (seen.contains(first_key + e)) {
          partial[static_cast<std::size_t>(chunk) * columns + static_cast<std::size_t>(first_key + e)] =
              sums[e];
        }
      }
    }
    const std::size_t tile_at =
        here.at * static_cast<std::size_t>(plan.tiles) + static_cast<std::size_t>(tile);
    if (!is_last(block, shared.last, memory.tile_parts + tile_at, plan.chunk_sets())) return;
    const scored_rows rows = rows_of(here);
    double* const scores = memory.scores + here.at * columns;
    const int tile_keys = plan.lanes * Width;
    for (int e = block.thread(); e < tile_keys; e += block.threads()) {
      const int key = tile * tile_keys + e;
      if (key < keys) {
        scores[key] = score_of(partial, plan.chunks, rows, key,
                               carried == nullptr ? nullptr : carried + here.at * columns);
      }
    }
    if (!is_last(block, shared.last, memory.tiles_done + here.at, plan.tiles)) return;
    const std::size_t words = static_cast<std::size_t>(bitmap_words(keys));
    select_sinks(
        block, rule, rows, memory.prefix == nullptr ? nullptr : memory.prefix + here.at * (columns + 1),
        &shared + 1,
        {memory.bits + here.at * words, memory.positions + here.at * columns, memory.counts + here.at},
        [&](int key) { return scores[key]; });
    if (block.thread() == 0) {
      if (plan.row_items == 0 && memory.moved != nullptr) memory.moved[here.at] = 0;
      block.arrive(memory.ready + here.at);
    }
  }

  template <class Block>
  ACT_DEVICE void rescale(Block& block, shared_numbers& shared, const place& here, int item) const noexcept {
    if (block.thread() == 0) {
      while (block.peek(memory.ready + here.at) == 0)
        block.pause();
    }
    block.sync();
    const int begin = item * plan.rows_per_item, end = lesser(begin + plan.rows_per_item, queries);
    double moved = 0;
    // Rows before the first sink stay as they are, unread.
    if (memory.counts[here.at] > 0 &&
        here.sees.row(end - 1).end > memory.positions[here.at * static_cast<std::size_t>(keys)]) {
      const std::uint32_t* const bits = memory.bits + here.at * static_cast<std::size_t>(bitmap_words(keys));
      if (plan.row_per_warp) {
        warp_team team(block);
        const int warps = block.threads() / warp_size, warp = block.thread() / warp_size;
        for (int i = begin + warp; i < end; i += warps)
          moved += rescale_one(team, here, i, bits);
      } else {
        block_team team(block, shared.warps);
        for (int i = begin; i < end; ++i)
          moved += rescale_one(team, here, i, bits);
      }
    }
    if (memory.moved == nullptr) return;
    if (plan.row_per_warp) moved = sum_warps(block, moved, shared.warps);
    double* const by_item = memory.moved_by_item + here.at * static_cast<std::size_t>(plan.row_items);
    if (block.thread() == 0) by_item[item] = moved;
    if (!is_last(block, shared.last, memory.row_items_done + here.at, plan.row_items)) return;
    if (block.thread() == 0) {
      double total = 0;
      for (int each = 0; each < plan.row_items; ++each)
        total += by_item[each];
      memory.moved[here.at] = total;
    }
  }

  template <class Team>
  ACT_DEVICE double rescale_one(Team& team, const place& here, int i,
                                const std::uint32_t* bits) const noexcept {
    T* const row = first_row(here) + static_cast<std::size_t>(i) * query_stride;
    return rescale_row<T, Width>(team, row, keys, here.sees.row(i), bits, kept_by_sinks);
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
