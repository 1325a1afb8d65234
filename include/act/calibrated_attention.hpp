// Causal attention with calibration built in, from Q, K and V: the N x N map never exists. For engines
// without an attention kernel of their own, and for long prompts; exact, not an approximation.
//
// How. Query rows go in blocks: scores of a block against all the keys it sees, softmax, product with V, all
// while the block is in cache. There each row is normalised anyway, so adding it to the column sums makes
// them exact in one pass. A head's sinks are known once all of its rows are done; what then?
//
// - A head whose weights fit into `kept_weights` bytes (1,024 tokens in float as it is set, a core's share
//   of a third-level cache) has kept them, and only now multiplies them with V, its sinks' weights scaled:
//   detail/kernels/weight_calibration.hpp. Nothing is computed twice.
// - A longer one has its outputs already, and those of rows from the first sink on are corrected:
//
//     O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    c = 1 + (1 - beta) S / R
//
//   with A[s] recomputed from q, k and the row's saved maximum and sum: detail/kernels/sink_correction.hpp.
//   (Renormalised, c is another, and f c is in beta's place: detail/rules/row_rule.hpp.)
// - The ablations and the authors' behaviour need whole rows: a head that is calibrated so keeps its map, one
//   head's a thread, and goes through calibrate().
//
// Cost: 4 * d multiply-adds for each visible (query, key) pair; calibration adds one addition a pair, and for
// each (row, sink) pair a few operations where weights are kept, 4 * d multiply-adds where they aren't. Heads
// that aren't chosen run the same kernel without either.
// Memory beyond inputs and outputs: for each thread the keys and values of one head packed (2 * keys * d), a
// block's scores (16 * keys) or the kept weights, and outputs of half types while they wait for their
// correction (queries * d); for each chosen head 16 bytes a key. It grows as N, not as
// N^2, but for the maps said above. Threads: (batch, head) pairs in parallel, results independent of how
// many; serial inside a parallel region. Query heads that share keys and values pack them once a thread; up
// to six queries, as in decoding, read them where they are.
#pragma once

#include <act/attention_view.hpp>
#include <act/attention_workspace.hpp>
#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/calibrate_head.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/kernels/sink_correction.hpp>
#include <act/detail/kernels/weight_calibration.hpp>
#include <act/detail/report_heads.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Calibrates the map that a head keeps. Its sinks' scores go to `sums`, their positions to `positions`.
template <class T, class Arch>
calibration_workspace::outcome calibrate_own_map(attention_head<T, Arch>& head,
                                                 const calibration_options& calibration,
                                                 const visibility& visible, std::span<double> sums,
                                                 std::span<std::size_t> positions,
                                                 accumulator_t<T>* marks) noexcept {
  attention_span<accumulator_t<T>> map{.data = head.scores,
                                       .batches = 1,
                                       .heads = 1,
                                       .queries = head.of.queries,
                                       .keys = head.of.keys,
                                       .batch_stride = head.of.queries * head.of.score_stride(),
                                       .head_stride = head.of.queries * head.of.score_stride(),
                                       .query_stride = head.of.score_stride(),
                                       .visible = visible};
  if (!visible.first_key.empty()) map.visible.first_key = visible.first_key.subspan(head.batch(), 1);
  return calibrate_head<accumulator_t<T>, Arch>(map, 0, 0, calibration, sums, positions, marks);
}

/// A call, past its door: every method works on one head, in one worker's memory.
template <class T, class Arch>
class calibrated_attention_call {
  using head_type = attention_head<T, Arch>;
  using correction = sink_correction<T, Arch>;
  using workspace_type = attention_workspace<accumulator_t<T>>;

 public:
  explicit calibrated_attention_call(const attention_request<T>& request) noexcept
      : of_(request.seen_keys()),
        chosen_(of_.chosen()),
        keeps_map_(chosen_ > 0 && needs_map(of_.calibration)),
        plan_(of_.q, of_.k, of_.v.channels, of_.q.heads, chosen_) {
    const bool packs = of_.q.tokens > fused_head<T, Arch>::few_queries;
    plan_.shape.packs = chosen_ > 0 || packs;
    if (keeps_map_) {
      plan_.shape.score_rows = plan_.shape.padded_queries();
    } else if (chosen_ > 0 && packs) {
      plan_.shape.keep_weights(of_.options.visible, of_.options.kept_weights / sizeof(accumulator_t<T>));
    }
    plan_.shape.corrects = chosen_ > 0 && !keeps_map_ && plan_.shape.kept == 0;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }

  void run(workspace_type& workspace, calibration_report& report) {
    plan_.reserve(workspace);
    if (keeps_map_) workspace.heads().reserve_marks(plan_.entries, of_.k.tokens);
    begin_report(report, of_.q.tokens == 0 ? 0 : of_.q.batches, chosen_, *of_.heads, of_.k.tokens);
    for_each_job<packed_head>(
        plan_.workers, plan_.jobs, [&](std::size_t worker, packed_head& packed, std::size_t job) noexcept {
          attend(workspace, report, worker, packed, job / of_.q.heads, job % of_.q.heads);
        });
    end_report(report, workspace.heads(), of_.k.tokens);
  }

 private:
  void attend(workspace_type& workspace, const calibration_report& report, std::size_t worker,
              packed_head& packed, std::size_t batch, std::size_t head) noexcept {
    const auto& [q, k, v, out, plain, heads, calibration, options, carried] = of_;
    head_type of(q, k, v, out, options, batch, head, plan_.shape,
                 workspace.of_worker(worker, plan_.shape.memory()));
    fused_head<T, Arch> task(of);
    const std::size_t number = batch * k.heads + head / (q.heads / k.heads);
    if (!heads->contains(head)) {
      task.attend(nullptr, packed, number);
      copy_to_plain(batch, head);
      return;
    }
    std::size_t entry = batch * chosen_;
    while (report.heads[entry].head != head)
      ++entry;
    const std::span<double> sums = workspace.heads().sums(entry, k.tokens);
    const std::span<std::size_t> positions = workspace.heads().positions(entry, k.tokens);
    calibration_workspace::outcome& result = workspace.heads().result(entry);
    const calibration_options own = calibration.of_head(head);
    const column_scaling scaling = scaling_of(own);
    if (keeps_map_) {
      const auto map = task.softmax_map(packed, number);
      if (plain.data != nullptr) {
        map.multiply_values();
        copy_to_plain(batch, head);
      }
      result = calibrate_own_map(of, own, options.visible, sums, positions,
                                 workspace.heads().template marks<accumulator_t<T>>(entry, k.tokens));
      map.multiply_values();
      return;
    }
    std::fill(sums.begin(), sums.end(), 0.0);
    const auto columns = [&] {
      score_columns(sums, of_.options, of_.carried, batch, batch * of_.q.heads + head, of_.q.tokens);
      return positions.first(
          find_columns(sums, of_.options, of_.carried, of_.calibration, batch, of_.q.tokens, positions));
    };
    if (plan_.shape.kept > 0) {
      const auto kept = task.softmax_kept(sums.data(), packed, number);
      weight_calibration<T, Arch> calibrate_rows(of, columns(), scaling);
      kept.multiply_values(calibrate_rows, [&](std::size_t i) {
        return of_.plain.data == nullptr ? nullptr : of_.plain.row(batch, head, i);
      });
      result = {sinks_among(calibrate_rows.sinks(), calibration), calibrate_rows.moved()};
      return;
    }
    task.attend(sums.data(), packed, number);
    for (std::size_t i = 0; plain.data != nullptr && i < q.tokens; ++i)
      of.copy_waiting(i, plain.row(batch, head, i));
    const std::span<const std::size_t> sinks = columns();
    correction correct(of, sinks, scaling,
                       plan_.shape.queries > fused_head<T, Arch>::few_queries ? correction::most_of_own
                                                                              : correction::most_of_foreign);
    result = {sinks_among(sinks.size(), calibration), correct.run()};
    if (correct.took_panels()) packed = {};
  }

  void copy_to_plain(std::size_t batch, std::size_t head) const noexcept {
    for (std::size_t i = 0; of_.plain.data != nullptr && i < of_.q.tokens; ++i)
      std::copy_n(of_.out.row(batch, head, i), of_.v.channels, of_.plain.row(batch, head, i));
  }

  const attention_request<T> of_;
  std::size_t chosen_;
  bool keeps_map_;
  attention_plan<T, Arch> plan_;
};

}  // namespace detail

/// calibrated_attention with memory of the caller's: allocates only where `workspace` or `report` are too
/// small for the call. With `plain`, of the shape of `out`, plain attention of every head is written there
/// too: both outputs for one pass.
/// @tparam T element type of all tensors
/// @tparam Arch instruction set (simd.hpp)
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param out gets the outputs [B, H, queries, e]
/// @param heads which of the H heads are calibrated
/// @param calibration rule, beta, redistribution
/// @param options what attention itself is told
/// @param workspace scratch memory; grows to what the call needs
/// @param report gets what was done: one entry for each chosen head and batch entry
/// @param plain gets the uncalibrated outputs [B, H, queries, e]; empty: not wanted
/// @param carried_sums raw column sums [B, H, keys] of earlier chunks, added to; empty: a whole prompt
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void calibrated_attention(const head_tensor<const std::type_identity_t<T>>& q,
                          const head_tensor<const std::type_identity_t<T>>& k,
                          const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out,
                          const layer_heads& heads, const calibration_options& calibration,
                          const attention_options& options, attention_workspace<accumulator_t<T>>& workspace,
                          calibration_report& report, const head_tensor<std::type_identity_t<T>>& plain = {},
                          std::span<double> carried_sums = {}) {
  const detail::attention_request<T> request{
      q, k, v, out, plain, &heads, calibration, options, {carried_sums, k.tokens}};
  detail::check_calibrated_attention(request);
  detail::calibrated_attention_call<T, Arch>(request).run(workspace, report);
}

/// Bytes that such a call takes from its workspace (attention_workspace::bytes() after it, unless it was
/// larger before), on as many threads as it would run on now. Reads no element; throws as the call would.
/// @tparam T element type of all tensors
/// @tparam Arch instruction set (simd.hpp)
/// @param q,k,v,out,heads,calibration,options as calibrated_attention's
/// @return bytes
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] std::size_t calibrated_attention_bytes(const head_tensor<const std::type_identity_t<T>>& q,
                                                     const head_tensor<const std::type_identity_t<T>>& k,
                                                     const head_tensor<const std::type_identity_t<T>>& v,
                                                     const head_tensor<T>& out, const layer_heads& heads,
                                                     const calibration_options& calibration = {},
                                                     const attention_options& options = {}) {
  const detail::attention_request<T> request{q, k, v, out, {}, &heads, calibration, options, {}};
  detail::check_calibrated_attention(request);
  return detail::calibrated_attention_call<T, Arch>(request).bytes();
}

/// out = calibrated causal attention of q over k and v, for every batch entry and head; the heads in `heads`
/// are calibrated (possibly none), the others are plain. q [B, H, queries, d], k [B, G, keys, d], v [B, G,
/// keys, e], out [B, H, queries, e], G divides H: query head h reads key and value head h / (H / G). Any d
/// and e. Row i stands at position visible.query_offset + i. A row that sees nothing becomes 0. What comes
/// out is what calibrate() on the whole map and a product with V would give, to rounding; ablations and the
/// authors' behaviour take the memory of a head's map for each thread.
///
/// `carried_sums` is for a prompt in chunks: raw column sums of the earlier chunks, [B, H, keys], to which
/// this chunk's are added, of chosen heads only. Their sinks then come from all rows so far; earlier rows
/// stay as they were calibrated. Empty: this is the whole prompt.
///
/// `out` and `carried_sums` may not overlap each other or what is read. Throws act::error before the first
/// write: invalid_shape, invalid_option, unsupported; std::bad_alloc before it too.
/// @tparam T element type of all tensors
/// @tparam Arch instruction set (simd.hpp)
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param out gets the outputs [B, H, queries, e]
/// @param heads which of the H heads are calibrated
/// @param calibration rule, beta, redistribution
/// @param options what attention itself is told
/// @param carried_sums raw column sums [B, H, keys] of earlier chunks, added to; empty: a whole prompt
/// @return what was done: one entry for each chosen head and batch entry
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report calibrated_attention(
    const head_tensor<const std::type_identity_t<T>>& q, const head_tensor<const std::type_identity_t<T>>& k,
    const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out, const layer_heads& heads,
    const calibration_options& calibration = {}, const attention_options& options = {},
    std::span<double> carried_sums = {}) {
  attention_workspace<accumulator_t<T>> workspace;
  calibration_report report;
  calibrated_attention<T, Arch>(q, k, v, out, heads, calibration, options, workspace, report, {},
                                carried_sums);
  return report;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
