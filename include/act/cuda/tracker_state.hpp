// Where decode trackers keep what they know between steps, in device memory: for every sequence and head the
// running column sums, and which steps saw each slot of the cache. sink_tracker.hpp's state for a batch.
#pragma once

#include <act/cuda/sink_selection.hpp>
#include <act/cuda/workspace.hpp>
#include <act/detail/rules/sink_rule.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda {

/// The trackers of `batches` sequences and `heads` heads, for caches of up to `capacity` slots. `memory` is
/// the caller's: tracker_size() bytes aligned to 16, which begin as zeros (cudaMemsetAsync): no keys yet. A
/// copy of the bytes is a fork.
struct tracker_state {
  void* memory = nullptr;
  std::size_t batches = 0;
  std::size_t heads = 0;
  std::size_t capacity = 0;
};

namespace detail {

/// The state's arrays.
struct tracker_arrays {
  int* steps;    // [batch, head] rows so far
  int* keys;     // [batch, head] slots so far
  double* sums;  // [batch, head, capacity] raw weights
  int* unseen;   // [batch, head, capacity] steps that didn't see a slot, those before it included
  std::uint8_t*
      bits;  // [batch, head, 4 * words] sinks as of the last step, slot j in bit j % 8 of byte j / 8
  double*
      uniform;     // [batch, head, capacity] what uniform rows would have given; baseline-corrected rule only
  double* prefix;  // [batch, head, capacity + 1] scratch of the start; baseline-corrected rule only
};

inline tracker_arrays divide_tracker(workspace_parts& parts, const tracker_state& state,
                                     bool uniform) noexcept {
  const std::size_t heads = state.batches * state.heads;
  tracker_arrays arrays{};
  arrays.steps = parts.take<int>(heads);
  arrays.keys = parts.take<int>(heads);
  arrays.bits = parts.take<std::uint8_t>(
      heads * 4 * static_cast<std::size_t>(bitmap_words(static_cast<int>(state.capacity))));
  arrays.sums = parts.take<double>(heads * state.capacity);
  arrays.unseen = parts.take<int>(heads * state.capacity);
  if (uniform) {
    arrays.uniform = parts.take<double>(heads * state.capacity);
    arrays.prefix = parts.take<double>(heads * (state.capacity + 1));
  }
  return arrays;
}

}  // namespace detail

/// Bytes that the trackers take: 12 a slot and head and a bit, 28 with the baseline-corrected rule.
[[nodiscard]] inline std::size_t tracker_size(std::size_t batches, std::size_t heads, std::size_t capacity,
                                              const sink_options& options = {}) noexcept {
  detail::workspace_parts parts;
  detail::divide_tracker(parts, {nullptr, batches, heads, capacity},
                         act::detail::measures_uniform(options.rule));
  return parts.used();
}

/// The sinks as of the last step, in the state: for each sequence and head a bit a slot in
/// tracker_words(capacity) 32-bit words.
[[nodiscard]] inline const std::uint32_t* tracker_sinks(const tracker_state& state) noexcept {
  detail::workspace_parts parts(state.memory);
  return reinterpret_cast<const std::uint32_t*>(detail::divide_tracker(parts, state, false).bits);
}
[[nodiscard]] constexpr std::size_t tracker_words(std::size_t capacity) noexcept {
  return (capacity + 31) / 32;
}

}  // namespace act::inline ACT_ABI::cuda
