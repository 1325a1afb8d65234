// What the kernels of output correction have in common: which heads, which rows, where a head's things lie.
#pragma once

#include <act/cuda/column_sums.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/head_tensor.hpp>
#include <act/cuda/sink_rule.hpp>
#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

/// Arrays in the workspace or the report, each with an entry (or a row) for every head of every batch entry.
struct correction_memory {
  int* rows_done;         // [head] items of correction done; begins as zeros
  double* partial;        // [head][chunk][keys]; null when the scores are given
  double* scores;         // [head][keys]
  double* prefix;         // [head][keys + 1], baseline-corrected rule only
  std::uint32_t* bits;    // [head][words]
  int* positions;         // [head][keys]
  int* counts;            // [head]
  double* moved_by_item;  // [head][item of correction]
  double* moved;          // [head] or null: not wanted
};

struct attention_task {
  int batches, heads, groups;  // groups: query heads that share a head of keys and values
  int queries, keys;
  visibility visible;
  head_bits chosen;
  double* carried;  // [head][keys] or null
  row_chunks chunks;
  correction_memory memory;

  struct place {
    int batch, head, kv_head;
    std::size_t at;  // batch * heads + head
    sequence sees;
  };

  ACT_HOST_DEVICE int jobs() const noexcept { return batches * count_heads(chosen, heads); }
  ACT_HOST_DEVICE place place_of(int job) const noexcept {
    const int here = count_heads(chosen, heads);
    const int batch = job / here, head = nth_head(chosen, heads, job % here);
    return {
        batch, head, head / groups,
        static_cast<std::size_t>(batch) * static_cast<std::size_t>(heads) + static_cast<std::size_t>(head),
        sequence_of(visible, batch)};
  }
  ACT_HOST_DEVICE scored_rows rows_of(const place& here) const noexcept {
    return {here.sees, carried == nullptr ? here.sees.offset : 0, here.sees.offset + queries, keys};
  }
  ACT_HOST_DEVICE std::size_t key_count() const noexcept { return static_cast<std::size_t>(keys); }
  ACT_HOST_DEVICE double* partial_of(const place& here) const noexcept {
    return memory.partial + here.at * static_cast<std::size_t>(chunks.count()) * key_count();
  }
};

}  // namespace act::inline ACT_ABI::cuda::detail
