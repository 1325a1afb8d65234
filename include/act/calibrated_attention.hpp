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
#include <act/call_context.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/attention_types.hpp>
#include <act/detail/build.hpp>
#include <act/detail/calibrate_head.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/kernels/sink_correction.hpp>
#include <act/detail/kernels/weight_calibration.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/report_heads.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/status.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Calibrates the map that a head keeps. Its sinks' scores go to `sums`, their positions to `positions`.
template <class Types, class Arch>
head_outcome calibrate_own_map(attention_head<Types, Arch>& head, const calibration_options& calibration,
                               const visibility& visible, std::span<double> sums,
                               std::span<std::size_t> positions,
                               typename Types::accumulator* marks) noexcept {
  const attention_span<typename Types::accumulator> map{
      .data = head.scores,
      .batches = 1,
      .heads = 1,
      .queries = head.of.queries,
      .keys = head.of.keys,
      .batch_stride = head.of.queries * head.of.score_stride(),
      .head_stride = head.of.queries * head.of.score_stride(),
      .query_stride = head.of.score_stride(),
      .visible = visible};
  return calibrate_head<typename Types::accumulator, Arch>(map, 0, 0, calibration, sums, positions, marks);
}

/// A call, past its arguments: what it refuses, what memory it takes, and its work, head by head, each in one
/// worker's memory.
template <class Types, class Arch>
class calibrated_attention_call {
  using head_type = attention_head<Types, Arch>;
  using correction = sink_correction<Types, Arch>;
  using shape_type = typename head_type::shape;
  using plan_type = attention_plan<Types, Arch>;

 public:
  calibrated_attention_call(const attention_request<Types>& request, const executor& on) noexcept
      : of_(request), on_(on), refused_(check_calibrated_attention(request)), plan_(plan()) {}

  [[nodiscard]] refusal check() const noexcept { return either(refused_, plan_.check()); }
  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }
  [[nodiscard]] std::size_t keys() const noexcept { return plan_.keys; }
  [[nodiscard]] std::size_t batches() const noexcept { return of_.q.tokens == 0 ? 0 : of_.q.batches; }
  [[nodiscard]] std::size_t chosen() const noexcept { return of_.chosen(); }

  /// Works in bytes() of memory. What it leaves there can be reported.
  chosen_memory run(std::byte* bytes) const noexcept {
    memory_parts parts(bytes);
    const typename plan_type::attention_memory memory(parts, plan_);
    for_each_job<packed_head>(on_, plan_.workers, plan_.jobs,
                              [&](std::size_t worker, packed_head& packed, std::size_t job) noexcept {
                                const std::size_t batch = job / of_.q.heads, head = job % of_.q.heads;
                                attend(of_.entry(batch), memory.heads, memory.of_worker(worker), packed,
                                       batch, head);
                                clear_padding(of_.out, of_.options.visible, batch, head);
                                clear_padding(of_.plain, of_.options.visible, batch, head);
                              });
    return memory.heads;
  }

 private:
  // A request that is refused has no plan.
  [[nodiscard]] plan_type plan() const noexcept {
    attention_request<Types> of = of_;
    if (refused_) of.q.tokens = 0;
    plan_type made(of, of.q.heads, of.chosen(), on_,
                   [this](const attention_request<Types>& one) noexcept { return shape_of(one); });
    made.with_marks = keeps_map();
    return made;
  }

  [[nodiscard]] bool keeps_map() const noexcept { return chosen() > 0 && needs_map(of_.calibration); }

  [[nodiscard]] shape_type shape_of(const attention_request<Types>& one) const noexcept {
    shape_type shape{one.q.tokens, one.k.tokens, one.q.channels, one.v.channels};
    const bool packs = one.q.tokens > fused_head<Types, Arch>::few_queries;
    shape.packs = chosen() > 0 || packs;
    if (keeps_map()) {
      shape.score_rows = shape.padded_queries();
    } else if (chosen() > 0 && packs) {
      shape.keep_weights(one.options.visible, one.options.kept_weights / sizeof(typename Types::accumulator));
    }
    shape.corrects = chosen() > 0 && !keeps_map() && shape.kept == 0;
    return shape;
  }

  // `one` is the request of this batch entry.
  void attend(const attention_request<Types>& one, const chosen_memory& memory,
              std::span<typename Types::accumulator> scratch, packed_head& packed, std::size_t batch,
              std::size_t head) const noexcept {
    const auto& [q, k, v, out, plain, heads, calibration, options, carried] = one;
    const shape_type shape = shape_of(one);
    head_type of(q, k, v, out, options, head, shape, scratch);
    fused_head<Types, Arch> task(of);
    const std::size_t number = batch * k.heads + head / (q.heads / k.heads);
    if (!heads->contains(head)) {
      task.attend(nullptr, packed, number);
      copy_to_plain(one, head);
      return;
    }
    const std::size_t entry = batch * chosen() + heads->index_of(head);
    const std::span<double> all_sums = memory.sums(entry), sums = all_sums.first(k.tokens);
    const std::span<std::size_t> positions = memory.positions(entry).first(k.tokens);
    head_outcome& result = memory.result(entry);
    const calibration_options own = calibration.of_head(head);
    const column_scaling scaling = scaling_of(own);
    std::fill(all_sums.begin(), all_sums.end(), 0.0);
    if (keeps_map()) {
      const auto map = task.softmax_map(packed, number);
      if (plain.data != nullptr) {
        map.multiply_values();
        copy_to_plain(one, head);
      }
      result = calibrate_own_map(of, own, options.visible, sums, positions,
                                 memory.template marks<typename Types::accumulator>(entry));
      map.multiply_values();
      return;
    }
    const auto columns = [&] {
      score_columns(sums, one.options, one.carried, batch * one.q.heads + head, one.q.tokens);
      return positions.first(
          find_columns(sums, one.options, one.carried, one.calibration, one.q.tokens, positions));
    };
    if (shape.kept > 0) {
      const auto kept = task.softmax_kept(sums.data(), packed, number);
      weight_calibration<Types, Arch> calibrate_rows(of, columns(), scaling);
      kept.multiply_values(calibrate_rows, [&](std::size_t i) {
        return one.plain.data == nullptr ? nullptr : one.plain.row(0, head, i);
      });
      result = {sinks_among(calibrate_rows.sinks(), calibration), calibrate_rows.moved()};
      return;
    }
    task.attend(sums.data(), packed, number);
    for (std::size_t i = 0; plain.data != nullptr && i < q.tokens; ++i)
      of.copy_waiting(i, plain.row(0, head, i));
    const std::span<const std::size_t> sinks = columns();
    correction correct(of, sinks, scaling,
                       shape.queries > fused_head<Types, Arch>::few_queries ? correction::most_of_own
                                                                            : correction::most_of_foreign);
    result = {sinks_among(sinks.size(), calibration), correct.run()};
    if (correct.took_panels()) packed = {};
  }

  static void copy_to_plain(const attention_request<Types>& one, std::size_t head) noexcept {
    for (std::size_t i = 0; one.plain.data != nullptr && i < one.q.tokens; ++i)
      std::copy_n(one.out.row(0, head, i), one.v.channels, one.plain.row(0, head, i));
  }

  const attention_request<Types>& of_;
  const executor on_;
  const refusal refused_;
  const plan_type plan_;
};

}  // namespace detail

/// calibrated_attention with memory kept by the caller: allocates only where `workspace` or `report` are too
/// small for the call. With `plain`, of the shape of `out`, plain attention of every head is written there
/// too: both outputs for one pass.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
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
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
void calibrated_attention(const head_tensor<Q>& q, const head_tensor<C>& k, const values_of<C>& v,
                          const head_tensor<T>& out, const layer_heads& heads,
                          const calibration_options& calibration, const attention_options& options,
                          attention_workspace<accumulator_t<T>>& workspace, calibration_report& report,
                          const head_tensor<std::type_identity_t<T>>& plain = {},
                          std::span<double> carried_sums = {}) {
  const detail::attention_request<detail::types_of<T, Q, C>> request{
      q, k, v, out, plain, &heads, calibration, options, {carried_sums, k.tokens}};
  const detail::calibrated_attention_call<detail::types_of<T, Q, C>, Arch> call(request, {});
  detail::raise_if(call.check());
  const std::span<std::byte> memory = workspace.take(call.bytes());
  detail::begin_report(report, call.batches(), call.chosen(), heads, call.keys());
  detail::end_report(report, call.run(memory.data()));
}

/// Bytes that such a call takes from its workspace (attention_workspace::bytes() after it, unless it was
/// larger before), on as many threads as it would run on now. Reads no element; throws as the call would.
/// calibrated_attention_workspace() says the same to those who bring the memory.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q,k,v,out,heads,calibration,options as calibrated_attention's
/// @return bytes
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
[[nodiscard]] std::size_t calibrated_attention_bytes(const head_tensor<Q>& q, const head_tensor<C>& k,
                                                     const values_of<C>& v, const head_tensor<T>& out,
                                                     const layer_heads& heads,
                                                     const calibration_options& calibration = {},
                                                     const attention_options& options = {}) {
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,      k,           v,       out, {},
                                                                     &heads, calibration, options, {}};
  const detail::calibrated_attention_call<detail::types_of<T, Q, C>, Arch> call(request, {});
  detail::raise_if(call.check());
  return call.bytes();
}

/// Bytes of workspace that try_calibrated_attention takes, on the threads of `run_on`. Reads no element; 0
/// where the call would be refused.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q,k,v,out,heads,calibration,options as calibrated_attention's
/// @param run_on the call's executor
/// @return bytes
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
[[nodiscard]] std::size_t calibrated_attention_workspace(const head_tensor<Q>& q, const head_tensor<C>& k,
                                                         const values_of<C>& v, const head_tensor<T>& out,
                                                         const layer_heads& heads,
                                                         const calibration_options& calibration = {},
                                                         const attention_options& options = {},
                                                         const executor& run_on = {}) noexcept {
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,      k,           v,       out, {},
                                                                     &heads, calibration, options, {}};
  const detail::calibrated_attention_call<detail::types_of<T, Q, C>, Arch> call(request, run_on);
  return call.check() ? 0 : call.bytes();
}

/// calibrated_attention for engines: throws nothing, allocates nothing, runs on the engine's threads. See
/// call_context.hpp; everything else as below. With any answer but `ok` nothing was written.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q,k,v,out,heads,calibration,options as below
/// @param context memory (calibrated_attention_workspace() bytes), threads, report
/// @param plain,carried_sums as above
/// @return ok, invalid_shape, invalid_option, unsupported, workspace_too_small
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> status try_calibrated_attention(
    const head_tensor<Q>& q, const head_tensor<C>& k, const values_of<C>& v, const head_tensor<T>& out,
    const layer_heads& heads, const calibration_options& calibration, const attention_options& options,
    const call_context& context, const head_tensor<std::type_identity_t<T>>& plain = {},
    std::span<double> carried_sums = {})
noexcept {
  const detail::attention_request<detail::types_of<T, Q, C>> request{
      q, k, v, out, plain, &heads, calibration, options, {carried_sums, k.tokens}};
  const detail::calibrated_attention_call<detail::types_of<T, Q, C>, Arch> call(request, context.run_on);
  detail::refusal found = call.check();
  if (!found) found = detail::check_memory(context.workspace, call.bytes());
  if (!found) {
    detail::write_report(context.report, call.run(context.workspace.data()), heads, q.heads, k.tokens,
                         calibration.columns == column_choice::sinks);
  }
  return detail::answer(found, context.refused);
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
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param out gets the outputs [B, H, queries, e]
/// @param heads which of the H heads are calibrated
/// @param calibration rule, beta, redistribution
/// @param options what attention itself is told
/// @param carried_sums raw column sums [B, H, keys] of earlier chunks, added to; empty: a whole prompt
/// @return what was done: one entry for each chosen head and batch entry
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> calibration_report calibrated_attention(
    const head_tensor<Q>& q, const head_tensor<C>& k, const values_of<C>& v, const head_tensor<T>& out,
    const layer_heads& heads, const calibration_options& calibration = {},
    const attention_options& options = {}, std::span<double> carried_sums = {}) {
  attention_workspace<accumulator_t<T>> workspace;
  calibration_report report;
  calibrated_attention<T, Arch>(q, k, v, out, heads, calibration, options, workspace, report, {},
                                carried_sums);
  return report;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
