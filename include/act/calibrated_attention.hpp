// Causal attention with calibration built in, from Q, K and V: the N x N map never exists. For engines
// without an attention kernel of their own, and for long prompts; exact, not an approximation.
//
// How. Query rows go in blocks: scores of a block against all the keys it sees, softmax, product with V, all
// while the block is in cache. There each row is normalised anyway, so adding it to the column sums makes
// them exact in one pass. A head's sinks are known once all of its rows are done; what then?
//
// - A head whose weights fit into `kept_weights` bytes (1,024 tokens in float as it is set, a core's share of
// a
//   third-level cache) has kept them, and only now multiplies them with V, its sinks' weights scaled:
//   kernels/weight_calibration.hpp. Nothing is computed twice.
// - A longer one has its outputs already, and those of rows from the first sink on are corrected:
//
//     O' = c O + (beta - c) * sum over sinks s of A[s] V[s],    c = 1 + (1 - beta) S / R
//
//   with A[s] recomputed from q, k and the row's saved maximum and sum: kernels/sink_correction.hpp.
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
#include <act/calibrate.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/sink_correction.hpp>
#include <act/detail/kernels/weight_calibration.hpp>
#include <act/element.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Calibrates the map that a head keeps. Its sinks' scores go to `sums`, their positions to `positions`.
template <class T, class Arch>
calibration_workspace::outcome calibrate_own_map(
    attention_head<T, Arch>& head, const calibration_options& calibration, const visibility& visible,
    typename attention_workspace<accumulator_t<T>>::map_memory& with, std::span<double> sums,
    std::span<std::size_t> positions) noexcept {
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
  calibrate<accumulator_t<T>, Arch>(map, layer_heads::all(), calibration, with.workspace, with.report);
  const head_report& done = with.report.heads.front();
  for (std::size_t s = 0; s < done.sinks.size(); ++s) {
    positions[s] = done.sinks[s].position;
    sums[positions[s]] = done.sinks[s].score;
  }
  return {done.sinks.size(), done.moved_mass};
}

/// A call, past its door: every method works on one head, in one worker's memory.
template <class T, class Arch>
class calibrated_attention_call {
  using head_type = attention_head<T, Arch>;
  using correction = sink_correction<T, Arch>;
  using workspace_type = attention_workspace<accumulator_t<T>>;
  using input = head_tensor<const T>;
  using output = head_tensor<T>;

 public:
  calibrated_attention_call(const input& q, const input& k, const input& v, const output& out,
                            const layer_heads& heads, const calibration_options& calibration,
                            const attention_options& options, const output& plain) noexcept
      : q_(q),
        k_(k),
        v_(v),
        out_(out),
        plain_(plain),
        heads_(heads),
        calibration_(calibration),
        options_(options),
        chosen_(heads.count(q.heads)),
        keeps_map_(chosen_ > 0 && needs_map(calibration)),
        plan_(q, k, v.channels, q.heads, chosen_) {
    const bool packs = q.tokens > fused_head<T, Arch>::few_queries;
    plan_.shape.packs = chosen_ > 0 || packs;
    if (keeps_map_) {
      plan_.shape.score_rows = plan_.shape.padded_queries();
    } else if (chosen_ > 0 && packs) {
      plan_.shape.keep_weights(options.visible, options.kept_weights / sizeof(accumulator_t<T>));
    }
    plan_.shape.corrects = chosen_ > 0 && !keeps_map_ && plan_.shape.kept == 0;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }

  void run(workspace_type& workspace, calibration_report& report) {
    plan_.reserve(workspace);
    name_heads(report, q_.tokens == 0 ? 0 : q_.batches, chosen_, heads_);
    for_each_job<packed_head>(plan_.workers, plan_.jobs,
                              [&](std::size_t worker, packed_head& packed, std::size_t job) noexcept {
                                attend(workspace, report, worker, packed, job / q_.heads, job % q_.heads);
                              });
    fill_report(report, workspace.heads(), k_.tokens);
  }

 private:
  void attend(workspace_type& workspace, const calibration_report& report, std::size_t worker,
              packed_head& packed, std::size_t batch, std::size_t head) noexcept {
    head_type of(q_, k_, v_, out_, options_, batch, head, plan_.shape,
                 workspace.of_worker(worker, plan_.shape.memory()));
    fused_head<T, Arch> task(of);
    const std::size_t number = batch * k_.heads + head / (q_.heads / k_.heads);
    if (!heads_.contains(head)) {
      task.attend(nullptr, packed, number);
      copy_to_plain(batch, head);
      return;
    }
    std::size_t entry = batch * chosen_;
    while (report.heads[entry].head != head)
      ++entry;
    const std::span<double> sums = workspace.heads().sums(entry, k_.tokens);
    const std::span<std::size_t> positions = workspace.heads().positions(entry, k_.tokens);
    calibration_workspace::outcome& result = workspace.heads().result(entry);
    if (keeps_map_) {
      task.weigh(packed, number);
      if (plain_.data != nullptr) {
        task.mix_map();
        copy_to_plain(batch, head);
      }
      result = calibrate_own_map(of, calibration_, options_.visible, workspace.map_of_worker(worker), sums,
                                 positions);
      task.mix_map();
      return;
    }
    std::fill(sums.begin(), sums.end(), 0.0);
    const auto find_sinks = [&] {
      score_columns(sums, options_, batch, batch * q_.heads + head, q_.tokens);
      return positions.first(collect_sinks(sums, options_, calibration_.sinks, batch, q_.tokens, positions));
    };
    if (plan_.shape.kept > 0) {
      task.keep(sums.data(), packed, number);
      weight_calibration<T, Arch> calibrate_rows(of, find_sinks(), calibration_.beta);
      task.mix_kept(calibrate_rows, [&](std::size_t i) {
        return plain_.data == nullptr ? nullptr : plain_.row(batch, head, i);
      });
      result = {calibrate_rows.sinks(), calibrate_rows.moved()};
      return;
    }
    task.attend(sums.data(), packed, number);
    for (std::size_t i = 0; plain_.data != nullptr && i < q_.tokens; ++i)
      of.copy_waiting(i, plain_.row(batch, head, i));
    const std::span<const std::size_t> sinks = find_sinks();
    correction correct(of, sinks, calibration_.beta,
                       plan_.shape.queries > fused_head<T, Arch>::few_queries ? correction::most_of_own
                                                                              : correction::most_of_foreign);
    result = {sinks.size(), correct.run()};
    if (correct.took_panels()) packed = {};
  }

  void copy_to_plain(std::size_t batch, std::size_t head) const noexcept {
    for (std::size_t i = 0; plain_.data != nullptr && i < q_.tokens; ++i)
      std::copy_n(out_.row(batch, head, i), v_.channels, plain_.row(batch, head, i));
  }

  const input &q_, &k_, &v_;
  const output &out_, &plain_;
  const layer_heads& heads_;
  const calibration_options& calibration_;
  const attention_options& options_;
  std::size_t chosen_;
  bool keeps_map_;
  attention_plan<T, Arch> plan_;
};

}  // namespace detail

/// calibrated_attention with memory of the caller's. With `plain`, of the shape of `out`, plain attention of
/// every head is written there too: both outputs for one pass.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void calibrated_attention(const head_tensor<const std::type_identity_t<T>>& q,
                          const head_tensor<const std::type_identity_t<T>>& k,
                          const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out,
                          const layer_heads& heads, const calibration_options& calibration,
                          const attention_options& options, attention_workspace<accumulator_t<T>>& workspace,
                          calibration_report& report,
                          const head_tensor<std::type_identity_t<T>>& plain = {}) {
  detail::check_calibrated_attention<T>(q, k, v, out, heads, calibration, options);
  if (plain.data != nullptr) detail::check_attention<T>(q, k, v, plain, heads, calibration, options);
  detail::calibrated_attention_call<T, Arch>(q, k, v, out, heads, calibration, options, plain)
      .run(workspace, report);
}

/// Bytes that such a call takes from its workspace (attention_workspace::bytes() after it, unless it was
/// larger before), on as many threads as it would run on now. Reads no element; throws as the call would.
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
[[nodiscard]] std::size_t calibrated_attention_bytes(const head_tensor<const std::type_identity_t<T>>& q,
                                                     const head_tensor<const std::type_identity_t<T>>& k,
                                                     const head_tensor<const std::type_identity_t<T>>& v,
                                                     const head_tensor<T>& out, const layer_heads& heads,
                                                     const calibration_options& calibration = {},
                                                     const attention_options& options = {}) {
  detail::check_calibrated_attention<T>(q, k, v, out, heads, calibration, options);
  return detail::calibrated_attention_call<T, Arch>(q, k, v, out, heads, calibration, options, {}).bytes();
}

/// out = calibrated causal attention of q over k and v, for every batch entry and head; the heads in `heads`
/// are calibrated (possibly none), the others are plain. q [B, H, queries, d], k [B, G, keys, d], v [B, G,
/// keys, e], out [B, H, queries, e], G divides H: query head h reads key and value head h / (H / G). Any d
/// and e. Row i stands at position visible.query_offset + i. A row that sees nothing becomes 0. What comes
/// out is what calibrate() on the whole map and a product with V would give, to rounding; ablations and the
/// authors' behaviour take the memory of a head's map for each thread. Throws act::error before the first
/// write: invalid_shape, invalid_option, unsupported.
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report calibrated_attention(
    const head_tensor<const std::type_identity_t<T>>& q, const head_tensor<const std::type_identity_t<T>>& k,
    const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out, const layer_heads& heads,
    const calibration_options& calibration = {}, const attention_options& options = {}) {
  attention_workspace<accumulator_t<T>> workspace;
  calibration_report report;
  calibrated_attention<T, Arch>(q, k, v, out, heads, calibration, options, workspace, report);
  return report;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
