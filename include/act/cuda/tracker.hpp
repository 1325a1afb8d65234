// Decode trackers on a device, but for what CUDA itself does: checks and launches. See start_tracker() and
// step_tracker() in calibrate.cuh; `Launcher` as in map_calibration.hpp.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/output_correction.hpp>
#include <act/cuda/status.hpp>
#include <act/cuda/tracker_kernel.hpp>
#include <act/cuda/tracker_state.hpp>
#include <act/cuda/workspace.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda::detail {

inline constexpr int tracker_threads = 256;

[[nodiscard]] inline status check_tracker(const tracker_state& state,
                                          const calibration_options& options) noexcept {
  if (const status found = check_options(options); found != status::ok) return found;
  if (state.capacity >= most_positions || state.batches >= most_positions || state.heads >= most_positions ||
      state.batches * state.heads >= most_positions) {
    return status::invalid_shape;
  }
  const std::size_t needed = tracker_size(state.batches, state.heads, state.capacity, options.sinks);
  return is_enough(state.memory, needed, needed) ? status::ok : status::workspace_too_small;
}

[[nodiscard]] inline tracker_task task_of(const tracker_state& state, head_bits chosen,
                                          const calibration_options& options) noexcept {
  workspace_parts parts(state.memory);
  const selection rule = selection_of(options.sinks);
  return {static_cast<int>(state.batches),
          static_cast<int>(state.heads),
          static_cast<int>(state.capacity),
          chosen,
          rule,
          divide_tracker(parts, state, rule.tracks_uniform())};
}

template <class Launcher>
[[nodiscard]] status start(Launcher& launcher, const tracker_state& state, const double* sums,
                           std::size_t sums_stride, const visibility& visible, std::size_t queries,
                           head_bits chosen, const calibration_options& options,
                           int threads = tracker_threads) noexcept {
  if (const status found = check_tracker(state, options); found != status::ok) return found;
  const std::size_t heads = state.batches * state.heads;
  if (visible.query_offset > state.capacity || queries > state.capacity - visible.query_offset ||
      sums_stride < visible.query_offset + queries ||
      (sums == nullptr && heads * (visible.query_offset + queries) != 0)) {
    return status::invalid_shape;
  }
  if (heads == 0) return status::ok;  // without queries what was known before is forgotten, as ever
  const tracker_start_kernel kernel{task_of(state, chosen, options), sums, sums_stride,
                                    bounded(visible, visible.query_offset + queries),
                                    static_cast<int>(queries)};
  return launch_items(launcher, kernel, heads, threads, kernel.shared_bytes(threads)) ? status::ok
                                                                                      : status::launch_failed;
}

template <class T, class Launcher>
[[nodiscard]] status step(Launcher& launcher, const tracker_state& state, const attention_map<T>& rows,
                          const std::int32_t* lengths, head_bits chosen, const calibration_options& options,
                          double* moved_mass, int threads = tracker_threads) noexcept {
  if (const status found = check_tracker(state, options); found != status::ok) return found;
  if (rows.batches != state.batches || rows.heads != state.heads || rows.queries > 1)
    return status::invalid_shape;
  if (rows.empty()) return status::ok;
  if (rows.data == nullptr || lengths == nullptr || rows.keys >= most_positions ||
      !keeps_apart(rows.keys, {1, rows.head_stride, rows.batch_stride}, {1, rows.heads, rows.batches})) {
    return status::invalid_shape;
  }
  const tracker_step_kernel<T> kernel{task_of(state, chosen, options),
                                      rows.data,
                                      rows.batch_stride,
                                      rows.head_stride,
                                      static_cast<int>(rows.keys),
                                      lengths,
                                      bounded(rows.visible, most_positions),
                                      share_of(options.beta),
                                      moved_mass};
  return launch_items(launcher, kernel, state.batches * state.heads, threads, kernel.shared_bytes())
             ? status::ok
             : status::launch_failed;
}

}  // namespace act::inline ACT_ABI::cuda::detail
