// Correction of a flash kernel's outputs on a device, but for what CUDA itself does: checks, sizes, launches.
// See correct_output() in calibrate.cuh; `Launcher` as in map_calibration.hpp.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/attention_task.hpp>
#include <act/cuda/correction_kernel.hpp>
#include <act/cuda/element.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/head_tensor.hpp>
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/score_sums_kernel.hpp>
#include <act/cuda/selection_kernel.hpp>
#include <act/cuda/status.hpp>
#include <act/cuda/workspace.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::cuda {

/// What may be tuned for a device.
struct correction_tuning {
  int threads = 256;         // of a block that selects or corrects: 64 .. 256, a multiple of 32
  int rows_per_chunk = 256;  // of column sums
  int rows_per_item = 64;    // of correction
};

namespace detail {

[[nodiscard]] constexpr bool is_valid(const correction_tuning& tuning) noexcept {
  return is_block(tuning.threads) && is_step(tuning.rows_per_chunk) && is_step(tuning.rows_per_item);
}

/// Everything of a call but its memory.
template <class T>
struct correction_request {
  head_tensor<T> out;
  const float* log_sum_exp;
  head_tensor<const T> q, k, v;
  head_bits chosen;
  calibration_options calibration;
  attention_options attention;
  const double* scores = nullptr;
  double* carried_sums = nullptr;
};

template <class T>
[[nodiscard]] status check_request(const correction_request<T>& of) noexcept {
  const auto &q = of.q, &k = of.k, &v = of.v;
  const auto& out = of.out;
  if (const status found = check_options(of.calibration); found != status::ok) return found;
  const double scale = std::abs(of.attention.scale), cap = of.attention.soft_cap;
  if (!(scale < 1e30) || (cap != 0 && !(cap > 1e-30 && cap < 1e30))) {  // far inside float's range
    return status::invalid_option;
  }
  if (k.batches != q.batches || v.batches != q.batches || out.batches != q.batches || out.heads != q.heads ||
      v.heads != k.heads || (k.heads == 0 ? q.heads != 0 : q.heads % k.heads != 0) ||
      out.tokens != q.tokens || v.tokens != k.tokens || k.channels != q.channels ||
      out.channels != v.channels) {
    return status::invalid_shape;
  }
  if (q.batches * q.heads * q.tokens == 0) return status::ok;
  if (q.channels == 0 || v.channels == 0 ||
      !fits(q.batches, q.heads, q.tokens, k.tokens, of.attention.visible) || q.data == nullptr ||
      k.data == nullptr || v.data == nullptr || out.data == nullptr || of.log_sum_exp == nullptr ||
      (of.scores != nullptr && of.carried_sums != nullptr)) {
    return status::invalid_shape;
  }
  if (!keeps_apart(out.channels, {out.token_stride, out.head_stride, out.batch_stride},
                   {out.tokens, out.heads, out.batches})) {
    return status::invalid_shape;
  }
  return q.channels > 256 || v.channels > 256 ? status::unsupported : status::ok;
}

inline correction_memory divide_correction_workspace(workspace_parts& parts, std::size_t heads,
                                                     std::size_t keys, int chunks, int items, bool sums,
                                                     bool uniform, const report& wanted,
                                                     std::size_t& zeroed) noexcept {
  correction_memory memory{};
  memory.rows_done = parts.take<int>(heads);
  zeroed = parts.used();
  memory.partial = sums ? parts.take<double>(heads * static_cast<std::size_t>(chunks) * keys) : nullptr;
  memory.prefix = uniform ? parts.take<double>(heads * (keys + 1)) : nullptr;
  memory.bits =
      parts.take<std::uint32_t>(heads * static_cast<std::size_t>(bitmap_words(static_cast<int>(keys))));
  memory.moved_by_item = parts.take<double>(heads * static_cast<std::size_t>(items));
  memory.scores = wanted.scores != nullptr ? wanted.scores : parts.take<double>(heads * keys);
  memory.positions = wanted.sink_positions != nullptr ? wanted.sink_positions : parts.take<int>(heads * keys);
  memory.counts = wanted.sink_counts != nullptr ? wanted.sink_counts : parts.take<int>(heads);
  memory.moved = wanted.moved_mass;
  return memory;
}

[[nodiscard]] inline std::size_t correction_workspace(std::size_t heads, std::size_t queries,
                                                      std::size_t keys, const calibration_options& options,
                                                      bool scores_given,
                                                      const correction_tuning& tuning) noexcept {
  if (heads * queries * keys == 0 || !is_valid(tuning)) return 0;
  workspace_parts parts;
  std::size_t zeroed = 0;
  divide_correction_workspace(parts, heads, keys, ceil_div(static_cast<int>(queries), tuning.rows_per_chunk),
                              ceil_div(static_cast<int>(queries), tuning.rows_per_item), !scores_given,
                              selection_of(options.sinks).tracks_uniform(), {}, zeroed);
  return parts.used();
}

/// Launches with as many blocks as run at once, or as there are items.
template <class Launcher, class Kernel>
[[nodiscard]] bool launch_items(Launcher& launcher, const Kernel& kernel, std::size_t items, int threads,
                                int shared) noexcept {
  const int resident = launcher.resident_blocks(kernel, threads, shared);
  if (resident <= 0) return false;
  const auto most = static_cast<std::size_t>(resident);
  return launcher.launch(kernel, static_cast<int>(items < most ? items : most), threads, shared);
}

template <class T, int Lane, int Width, class Launcher>
[[nodiscard]] bool launch_correction(Launcher& launcher, const correction_request<T>& of,
                                     const attention_task& task, const correction_tuning& tuning) noexcept {
  const correction_kernel<T, Lane, Width> kernel{task,
                                                 rows_of(of.q),
                                                 rows_of(of.k),
                                                 rows_of(of.v),
                                                 rows_of(of.out),
                                                 of.log_sum_exp,
                                                 static_cast<int>(of.q.channels),
                                                 static_cast<int>(of.v.channels),
                                                 tuning.rows_per_item,
                                                 rules_of(of.attention, of.q.channels),
                                                 share_of(of.calibration.beta)};
  const auto items = static_cast<std::size_t>(ceil_div(task.queries, tuning.rows_per_item));
  return launch_items(launcher, kernel, of.q.batches * of.q.heads * items, tuning.threads,
                      kernel.shared_bytes());
}

/// Whether all rows may be read in pieces of `Width` channels, none of which crosses a row's end.
template <int Width, class T>
[[nodiscard]] bool reads_aligned(const correction_request<T>& of) noexcept {
  const auto aligned = [](const auto& tensor) {
    return lies_aligned<std::remove_cvref_t<decltype(*tensor.data)>, Width>(
        tensor.data, tensor.token_stride, tensor.head_stride, tensor.batch_stride);
  };
  return of.q.channels % Width == 0 && of.v.channels % Width == 0 && aligned(of.q) && aligned(of.k) &&
         aligned(of.v) && aligned(of.out);
}

/// The whole call. `Side`: see score_sums_kernel.
template <class T, int Side, class Launcher>
[[nodiscard]] status correct(Launcher& launcher, const correction_request<T>& of, void* workspace,
                             std::size_t bytes, const report& wanted,
                             const correction_tuning& tuning) noexcept {
  if (const status found = check_request(of); found != status::ok) return found;
  if (!is_valid(tuning)) return status::invalid_option;
  const std::size_t heads = of.q.batches * of.q.heads;
  if (heads * of.q.tokens == 0) return status::ok;
  const bool sums = of.scores == nullptr;
  if (!is_enough(workspace, bytes,
                 correction_workspace(heads, of.q.tokens, of.k.tokens, of.calibration, !sums, tuning))) {
    return status::workspace_too_small;
  }
  attention_task task{};
  task.batches = static_cast<int>(of.q.batches);
  task.heads = static_cast<int>(of.q.heads);
  task.groups = static_cast<int>(of.q.heads / of.k.heads);
  task.queries = static_cast<int>(of.q.tokens);
  task.keys = static_cast<int>(of.k.tokens);
  task.visible = bounded(of.attention.visible, of.k.tokens);
  task.chosen = of.chosen;
  task.carried = of.carried_sums;
  task.chunks = {task.queries, tuning.rows_per_chunk};
  const selection rule = selection_of(of.calibration.sinks);
  workspace_parts parts(workspace);
  std::size_t zeroed = 0;
  task.memory = divide_correction_workspace(parts, heads, of.k.tokens, task.chunks.count(),
                                            ceil_div(task.queries, tuning.rows_per_item), sums,
                                            rule.tracks_uniform(), wanted, zeroed);
  if (!launcher.clear(workspace, zeroed)) return status::launch_failed;
  if (sums) {
    const score_sums_kernel<T, Side> kernel{task,
                                            rows_of(of.q),
                                            rows_of(of.k),
                                            of.log_sum_exp,
                                            static_cast<int>(of.q.channels),
                                            rules_of(of.attention, of.q.channels)};
    const auto items =
        static_cast<std::size_t>(task.chunks.count()) * static_cast<std::size_t>(kernel.key_tiles());
    if (!launch_items(launcher, kernel, heads * items, Side * Side, kernel.shared_bytes()))
      return status::launch_failed;
  }
  const selection_kernel select{task, rule, of.scores};
  if (!launch_items(launcher, select, heads, tuning.threads, select.shared_bytes(tuning.threads)))
    return status::launch_failed;
  const std::size_t widest = of.q.channels > of.v.channels ? of.q.channels : of.v.channels;
  bool launched = false;
  if (widest <= 64 && reads_aligned<2>(of)) {
    launched = launch_correction<T, 2, 2>(launcher, of, task, tuning);
  } else if (widest <= 128 && reads_aligned<4>(of)) {
    launched = launch_correction<T, 4, 4>(launcher, of, task, tuning);
  } else if (reads_aligned<8>(of)) {
    launched = launch_correction<T, 8, 8>(launcher, of, task, tuning);
  } else {
    launched = launch_correction<T, 8, 1>(launcher, of, task, tuning);
  }
  return launched ? status::ok : status::launch_failed;
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
