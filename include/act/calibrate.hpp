// The door: calibrates the chosen heads of a materialised attention map, in place.
// For engine authors who have the softmaxed map of a layer between the softmax and the product with V. Not
// for kernels that never build the map.
//
//   #include <act/calibrate.hpp>
//   auto map = act::attention_span<float>::packed(weights, 1, heads, tokens, tokens);
//   act::calibrate(map, {0, 3, 7});  // heads 0, 3 and 7 of this layer, the paper's options
//
// What it costs: one read of the visible part of each chosen head, and one read-and-write of its rows from
// the first sink on, a few rows at a time. Memory: 24 bytes for each key of each chosen head, taken once a
// call, or never with a workspace; nothing is allocated for rows. Heads run in parallel (parallel.hpp);
// results don't depend on the number of threads. Accumulation: double, from short sums on (column sums:
// detail/kernels/row_simd.hpp; rows: detail/kernels/row_panel.hpp).
//
// What it keeps: each row's mass, whatever it was (models with learned sinks have less than 1); masked
// entries, which are never used and never written; rows before the first sink; every row without mass on
// sinks, or with mass on sinks only (which the ablation `uniform` shares out, too), or holding a NaN or an
// infinity. Heads never mix: a NaN in one stays there.
#pragma once

#include <act/attention_view.hpp>
#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/call_context.hpp>
#include <act/detail/build.hpp>
#include <act/detail/calibrate_head.hpp>
#include <act/detail/map_call.hpp>
#include <act/detail/map_checks.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/report_heads.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/status.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace act::inline ACT_ABI {

/// A calibrated copy, packed.
template <class T>
struct calibrated_map {
  std::vector<T> data;        ///< batches x heads x queries x keys
  calibration_report report;  ///< what was done
};

}  // namespace act::inline ACT_ABI

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// calibrate() with memory kept by the caller: allocates only where `workspace` or `report` are too small for
/// the call.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [batch, head, query, key], calibrated in place
/// @param heads which heads, of every batch entry
/// @param options rule, beta, redistribution
/// @param workspace scratch memory; grows to what the call needs
/// @param report gets what was done: one entry for each chosen head and batch entry, none where the map is
/// empty
/// @param carried_sums as below
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void calibrate(attention_span<T> map, const layer_heads& heads, const calibration_options& options,
               calibration_workspace& workspace, calibration_report& report, std::span<double> carried_sums) {
  const detail::map_call<T, Arch> call(map, heads, options, carried_sums);
  detail::raise_if(call.check());
  const std::span<std::byte> memory = workspace.take(call.bytes());
  detail::begin_report(report, call.batches(), call.chosen(), heads, map.keys);
  detail::end_report(report, call.run(memory.data(), {}));
}
/// A whole prompt.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map,heads,options,workspace,report as above
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void calibrate(attention_span<T> map, const layer_heads& heads, const calibration_options& options,
               calibration_workspace& workspace, calibration_report& report) {
  calibrate<T, Arch>(map, heads, options, workspace, report, {});
}

/// Bytes of workspace that try_calibrate() takes: 24 a key and chosen head, and
/// a few. Reads no element; 0 where the call would be refused.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map,heads,options as the call's
/// @return bytes
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] std::size_t calibrate_workspace(const attention_span<T>& map, const layer_heads& heads,
                                              const calibration_options& options = {}) noexcept {
  const detail::map_call<T, Arch> call(map, heads, options, {});
  return call.check() ? 0 : call.bytes();
}

/// calibrate() for engines: throws nothing, allocates nothing, runs on the engine's threads. See
/// call_context.hpp; everything else as below. With any answer but `ok` nothing was written.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [batch, head, query, key], calibrated in place
/// @param heads which heads, of every batch entry
/// @param options rule, beta, redistribution
/// @param context memory (calibrate_workspace() bytes), threads, report
/// @param carried_sums as below
/// @return ok, invalid_shape, invalid_option, unsupported, workspace_too_small
template <class T, class Arch = simd::default_arch>
requires attention_element<T> status try_calibrate(attention_span<T> map, const layer_heads& heads,
                                                   const calibration_options& options,
                                                   const call_context& context,
                                                   std::span<double> carried_sums = {})
noexcept {
  const detail::map_call<T, Arch> call(map, heads, options, carried_sums);
  detail::refusal found = call.check();
  if (!found) found = detail::check_memory(context.workspace, call.bytes());
  if (!found) {
    detail::write_report(context.report, call.run(context.workspace.data(), context.run_on), heads, map.heads,
                         map.keys, options.columns == column_choice::sinks);
  }
  return detail::answer(found, context.refused);
}

/// Calibrates the chosen heads of `map` in place, for every batch entry, and says what it did.
/// `map` holds softmaxed weights [batch, head, query, key], with its visibility; masked entries are not
/// touched. Throws act::error before the first write: invalid_shape (map), invalid_option (options, heads),
/// unsupported (compatibility::authors on a chunk or with padding). Section 3 of the paper; cost at the top
/// of this header.
///
/// `carried_sums` is for a prompt in chunks (micro-batches): raw column sums of the earlier chunks, [B, H,
/// keys], to which this chunk's are added, of chosen heads only. Their sinks then come from all rows so far;
/// earlier rows stay as they were calibrated. Empty: this is the whole prompt.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [batch, head, query, key], calibrated in place
/// @param heads which heads, of every batch entry
/// @param options rule, beta, redistribution
/// @param carried_sums raw column sums [B, H, keys] of earlier chunks, added to; empty: a whole prompt
/// @return what was done: one entry for each chosen head and batch entry, none where the map is empty
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report calibrate(attention_span<T> map, const layer_heads& heads,
                                                           const calibration_options& options = {},
                                                           std::span<double> carried_sums = {}) {
  calibration_workspace workspace;
  calibration_report report;
  calibrate<T, Arch>(map, heads, options, workspace, report, carried_sums);
  return report;
}

/// Calibrates one head of one batch entry, its sinks known, or any columns in their place: ascending key
/// positions (the initial token is no sink). Returns the mass moved. options.sinks isn't used. Throws
/// act::error before the first write.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [batch, head, query, key], calibrated in place
/// @param batch,head which head
/// @param sinks key positions, strictly ascending
/// @param options beta, redistribution
/// @return what some keys lost to others, summed over rows
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
double calibrate_with_sinks(attention_span<T> map, std::size_t batch, std::size_t head,
                            std::span<const std::size_t> sinks, const calibration_options& options = {}) {
  throw_if(map.validate(), error_code::invalid_shape);
  throw_if(options.validate(), error_code::invalid_option);
  if (batch >= map.batches)
    detail::raise(error_code::invalid_shape, "batch", "is past the map's batch entries");
  if (head >= map.heads) detail::raise(error_code::invalid_shape, "head", "is past the map's heads");
  if (map.empty()) return 0;
  detail::raise_if(detail::check_sinks(sinks, map.keys));
  detail::raise_if(detail::check_given_columns(options));
  detail::raise_if(detail::check_columns(options, map.keys));
  detail::raise_if(detail::check_strengths(options, map.heads));
  if (options.behave_as == compatibility::authors) detail::raise_if(detail::check_authors_shape(map));
  std::vector<accumulator_t<T>> marks(map.keys);
  return detail::calibrate_rows<T, Arch>(map.entry(batch), 0, head, sinks, options.of_head(head),
                                         marks.data());
}

/// As calibrate(), but leaves `map` alone and returns a packed copy, the heads that weren't chosen included.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @param map softmaxed weights [batch, head, query, key]
/// @param heads which heads, of every batch entry
/// @param options rule, beta, redistribution
/// @return the copy and what was done
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] calibrated_map<std::remove_const_t<T>> calibrated(const attention_span<T>& map,
                                                                const layer_heads& heads,
                                                                const calibration_options& options = {}) {
  using value = std::remove_const_t<T>;
  throw_if(map.validate(), error_code::invalid_shape);
  calibrated_map<value> result;
  result.data.resize(map.batches * map.heads * map.queries * map.keys);
  const auto copy = attention_span<value>::packed(result.data.data(), map.batches, map.heads, map.queries,
                                                  map.keys, map.visible);
  if (!map.empty()) {
    for (std::size_t b = 0; b < map.batches; ++b) {
      for (std::size_t h = 0; h < map.heads; ++h) {
        for (std::size_t i = 0; i < map.queries; ++i)
          std::copy_n(map.row(b, h, i), map.keys, copy.row(b, h, i));
      }
    }
  }
  result.report = calibrate<value, Arch>(copy, heads, options);
  return result;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
