// Calibration of a map on a device, but for what CUDA itself does: checks, sizes, and the one launch.
// `Launcher` is launcher.cuh's, or an emulation in the tests: it has clear(memory, bytes),
// resident_blocks(kernel, threads, shared), launch(kernel, blocks, threads, shared), each answering whether
// that went well, and cache_bytes(), of the second level.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/map_kernel.hpp>
#include <act/cuda/status.hpp>
#include <act/cuda/workspace.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::cuda {

/// What may be tuned for a device; results don't depend on it but for rounding.
struct map_tuning {
  int threads = 0;  // of a block: 64 .. 256, a multiple of 32; 0: as many as the rows' length asks for
  int rows_per_chunk = 128;   // of column sums
  std::size_t lag_bytes = 0;  // visible map between column sums and rescaling; 0: two fifths of the cache
};

namespace detail {

/// What the options ask for, if a device does it.
[[nodiscard]] inline status check_options(const calibration_options& options) noexcept {
  if (options.validate()) return status::invalid_option;
  if (options.redistribute != redistribution::proportional || options.behave_as != compatibility::none ||
      options.columns != column_choice::sinks || !options.strengths.empty()) {
    return status::unsupported;
  }
  return status::ok;
}

/// What kernels count on: whole warps, and steps that lead somewhere.
[[nodiscard]] constexpr bool is_block(int threads) noexcept {
  return threads >= 64 && threads <= 256 && threads % warp_size == 0;
}
[[nodiscard]] constexpr bool is_step(int rows) noexcept {
  return rows > 0 && static_cast<std::size_t>(rows) < most_positions;
}
[[nodiscard]] constexpr bool is_valid(const map_tuning& tuning) noexcept {
  return (tuning.threads == 0 || is_block(tuning.threads)) && is_step(tuning.rows_per_chunk);
}

/// Threads of a block. A row of many keys has a block to itself: of the fewest threads whose registers hold
/// it, which wait for each other less, and for eight loads each at once.
template <int Width>
[[nodiscard]] constexpr int threads_for(int keys) noexcept {
  if (keys <= warp_size * Width * kept_pieces) return 256;
  for (const int threads : {64, 128}) {
    if (keys <= threads * Width * kept_pieces) return threads;
  }
  return 256;
}

template <class T, int Width>
[[nodiscard]] map_plan plan_map(const attention_map<T>& map, double beta, const map_tuning& tuning) noexcept {
  const int queries = static_cast<int>(map.queries), keys = static_cast<int>(map.keys);
  map_plan plan{};
  plan.chunks = {queries, tuning.rows_per_chunk};
  plan.threads = tuning.threads != 0 ? tuning.threads : threads_for<Width>(keys);
  plan.lanes = plan.threads;
  while (plan.lanes % (2 * warp_size) == 0 && plan.lanes / 2 * Width >= keys)
    plan.lanes /= 2;
  plan.groups = plan.threads / plan.lanes;
  plan.tiles = ceil_div(keys, plan.lanes * Width);
  plan.row_per_warp = keys <= warp_size * Width * kept_pieces;
  plan.rows_per_item = plan.row_per_warp ? 4 * plan.threads / warp_size : 8;
  plan.row_items = beta == 1 ? 0 : ceil_div(queries, plan.rows_per_item);
  const std::size_t head_bytes = map.queries * map.keys * sizeof(T) / 2 + 1;
  const std::size_t jobs = map.batches * map.heads,
                    lag = tuning.lag_bytes / head_bytes +
                          (tuning.lag_bytes % head_bytes >= (head_bytes + 1) / 2);
  plan.lag = static_cast<int>(lag < 1 ? 1 : lag < jobs ? lag : jobs);  // at least the next head's column sums
  return plan;
}

/// Divides up a workspace, or counts its bytes. The first `zeroed` bytes have to begin as zeros.
inline map_memory divide_map_workspace(workspace_parts& parts, std::size_t heads, std::size_t keys,
                                       const row_chunks& chunks, std::size_t tiles, std::size_t row_items,
                                       bool uniform, const report& wanted, std::size_t& zeroed) noexcept {
  map_memory memory{};
  memory.ticket = parts.take<int>(1);
  memory.tile_parts = parts.take<int>(heads * tiles);
  memory.tiles_done = parts.take<int>(heads);
  memory.row_items_done = parts.take<int>(heads);
  memory.ready = parts.take<int>(heads);
  zeroed = parts.used();
  memory.partial = parts.take<double>(heads * static_cast<std::size_t>(chunks.count()) * keys);
  memory.prefix = uniform ? parts.take<double>(heads * (keys + 1)) : nullptr;
  memory.bits =
      parts.take<std::uint32_t>(heads * static_cast<std::size_t>(bitmap_words(static_cast<int>(keys))));
  memory.moved_by_item = parts.take<double>(heads * row_items);
  memory.scores = wanted.scores != nullptr ? wanted.scores : parts.take<double>(heads * keys);
  memory.positions = wanted.sink_positions != nullptr ? wanted.sink_positions : parts.take<int>(heads * keys);
  memory.counts = wanted.sink_counts != nullptr ? wanted.sink_counts : parts.take<int>(heads);
  memory.moved = wanted.moved_mass;
  return memory;
}

/// Bytes that calibrate_map needs for maps of this shape, aligned or not, whatever is reported.
template <class T>
[[nodiscard]] std::size_t map_workspace(const attention_map<T>& map, const calibration_options& options,
                                        const map_tuning& tuning) noexcept {
  if (map.empty() || !is_valid(tuning)) return 0;
  const map_plan scalar = plan_map<T, 1>(map, 0, tuning), wide = plan_map<T, full_width<T>>(map, 0, tuning);
  workspace_parts parts;
  std::size_t zeroed = 0;
  divide_map_workspace(parts, map.batches * map.heads, map.keys, scalar.chunks,
                       static_cast<std::size_t>(greater(scalar.tiles, wide.tiles)),
                       static_cast<std::size_t>(greater(scalar.row_items, wide.row_items)),
                       selection_of(options.sinks).tracks_uniform(), {}, zeroed);
  return parts.used();
}

template <class T, int Width, class Launcher>
[[nodiscard]] status launch_map(Launcher& launcher, const attention_map<T>& map, head_bits chosen,
                                const calibration_options& options, void* workspace, double* carried,
                                const report& wanted, const map_tuning& tuning) noexcept {
  map_kernel<T, Width> kernel{};
  kernel.data = map.data;
  kernel.batch_stride = map.batch_stride;
  kernel.head_stride = map.head_stride;
  kernel.query_stride = map.query_stride;
  kernel.batches = static_cast<int>(map.batches);
  kernel.heads = static_cast<int>(map.heads);
  kernel.queries = static_cast<int>(map.queries);
  kernel.keys = static_cast<int>(map.keys);
  kernel.visible = bounded(map.visible, map.keys);
  kernel.carried = carried;
  kernel.chosen = chosen;
  kernel.rule = selection_of(options.sinks);
  kernel.kept_by_sinks = share_of(options.beta);
  map_tuning tuned = tuning;
  // A head's sinks have to be there before its rows' turn comes, and the rows still in the cache.
  if (tuned.lag_bytes == 0) tuned.lag_bytes = launcher.cache_bytes() / 5 * 2;
  kernel.plan = plan_map<T, Width>(map, options.beta, tuned);
  const std::size_t heads = map.batches * map.heads;
  const std::size_t items =
      static_cast<std::size_t>(kernel.plan.column_items()) + static_cast<std::size_t>(kernel.plan.row_items);
  if (items * (heads + static_cast<std::size_t>(kernel.plan.lag)) >= most_positions)
    return status::invalid_shape;
  workspace_parts parts(workspace);
  std::size_t zeroed = 0;
  kernel.memory = divide_map_workspace(
      parts, heads, map.keys, kernel.plan.chunks, static_cast<std::size_t>(kernel.plan.tiles),
      static_cast<std::size_t>(kernel.plan.row_items), kernel.rule.tracks_uniform(), wanted, zeroed);
  const int shared = kernel.shared_bytes(kernel.plan.threads);
  const int resident = launcher.resident_blocks(kernel, kernel.plan.threads, shared);
  if (resident <= 0 || !launcher.clear(workspace, zeroed)) return status::launch_failed;
  const std::size_t blocks =
      heads * items < static_cast<std::size_t>(resident) ? heads * items : static_cast<std::size_t>(resident);
  return launcher.launch(kernel, static_cast<int>(blocks), kernel.plan.threads, shared)
             ? status::ok
             : status::launch_failed;
}

/// The whole call; see calibrate() in calibrate.cuh.
template <class T, class Launcher>
[[nodiscard]] status calibrate_map(Launcher& launcher, const attention_map<T>& map, head_bits chosen,
                                   const calibration_options& options, void* workspace, std::size_t bytes,
                                   double* carried, const report& wanted, const map_tuning& tuning) noexcept {
  if (!is_valid(map)) return status::invalid_shape;
  if (const status found = check_options(options); found != status::ok) return found;
  if (!is_valid(tuning)) return status::invalid_option;
  if (map.empty()) return status::ok;
  if (!is_enough(workspace, bytes, map_workspace(map, options, tuning))) return status::workspace_too_small;
  constexpr int wide = full_width<T>;
  return lies_aligned<T, wide>(map.data, map.query_stride, map.head_stride, map.batch_stride)
             ? launch_map<T, wide>(launcher, map, chosen, options, workspace, carried, wanted, tuning)
             : launch_map<T, 1>(launcher, map, chosen, options, workspace, carried, wanted, tuning);
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
