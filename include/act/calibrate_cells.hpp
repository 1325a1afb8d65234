// Calibration of a map over a shared cache: rows of several sequences, whose tokens lie in any cells. For
// engines with a unified or paged cache; a map whose rows see one range of keys each is calibrate.hpp's.
//
// Each sequence's rows come out as if it were alone in a map of its own, its tokens in order. Cost: that of
// calibrate(), and where cells don't lie side by side two copies of what the rows see. Memory: 24 bytes a
// token of the longest sequence and chosen head, and for each thread the largest sequence's weights where
// they are copied. Threads: (sequence, head) pairs in parallel, results independent of how many.
#pragma once

#include <act/attention_view.hpp>
#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/call_context.hpp>
#include <act/cell_sequence.hpp>
#include <act/detail/build.hpp>
#include <act/detail/cells_call.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/report_heads.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/status.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// Calibrates the chosen heads of every sequence's rows in place, and says what it did: `batch` of a report's
/// entry is the sequence's number, sinks are positions of its tokens. Weights that a row doesn't see are
/// neither read nor written, nor are rows that no sequence names. A prompt that comes in several maps takes
/// its carried_sums along. That a sequence's cells are distinct isn't checked: of one named twice either
/// weight stays. Throws act::error before the first write: invalid_shape (map, sequences), invalid_option,
/// unsupported (compatibility::authors).
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [1, head, row, cell]; its `visible` stays as it begins
/// @param sequences whose rows these are
/// @param heads which heads
/// @param options rule, beta, redistribution; their columns are positions of tokens
/// @param window sliding window in tokens, a row's own included; 0 = unlimited
/// @return what was done: one entry for each sequence and chosen head
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report calibrate_cells(attention_span<T> map,
                                                                 std::span<const cell_sequence> sequences,
                                                                 const layer_heads& heads,
                                                                 const calibration_options& options = {},
                                                                 std::size_t window = 0) {
  const detail::cells_call<T, Arch> call(map, sequences, heads, options, window, {});
  detail::raise_if(call.check());
  calibration_workspace workspace;
  calibration_report report;
  const std::span<std::byte> memory = workspace.take(call.bytes());
  detail::begin_report(report, call.sequences(), call.chosen(), heads, call.keys());
  detail::end_report(report, call.run(memory.data()));
  return report;
}

/// Bytes of workspace that try_calibrate_cells() takes, on the threads of `run_on`. Reads no weight; 0 where
/// the call would be refused.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map,sequences,heads,options,window as the call's
/// @param run_on the call's executor
/// @return bytes
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] std::size_t calibrate_cells_workspace(
    const attention_span<T>& map, std::span<const cell_sequence> sequences, const layer_heads& heads,
    const calibration_options& options = {}, std::size_t window = 0, const executor& run_on = {}) noexcept {
  const detail::cells_call<T, Arch> call(map, sequences, heads, options, window, run_on);
  return call.check() ? 0 : call.bytes();
}

/// calibrate_cells() for engines: throws nothing, allocates nothing, runs on the engine's threads. See
/// call_context.hpp, whose report is [sequence, head, cell of the map]; everything else as above. With any
/// answer but `ok` nothing was written.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map,sequences,heads,options as above
/// @param context memory (calibrate_cells_workspace() bytes), threads, report
/// @param window as above
/// @return ok, invalid_shape, invalid_option, unsupported, workspace_too_small
template <class T, class Arch = simd::default_arch>
requires attention_element<T> status try_calibrate_cells(attention_span<T> map,
                                                         std::span<const cell_sequence> sequences,
                                                         const layer_heads& heads,
                                                         const calibration_options& options,
                                                         const call_context& context, std::size_t window = 0)
noexcept {
  const detail::cells_call<T, Arch> call(map, sequences, heads, options, window, context.run_on);
  detail::refusal found = call.check();
  if (!found) found = detail::check_memory(context.workspace, call.bytes());
  if (!found) {
    detail::write_report(context.report, call.run(context.workspace.data()), heads, map.heads, map.keys,
                         options.columns == column_choice::sinks);
  }
  return detail::answer(found, context.refused);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
