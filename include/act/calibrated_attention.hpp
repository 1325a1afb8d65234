// Causal attention with calibration built in, from Q, K and V: the N x N map never exists. For engines
// without an attention kernel of their own, and for long prompts; exact, not an approximation.
//
// How. Query rows go in blocks: scores of a block against all the keys it sees, softmax, product with V, all
// while the block is in cache. There each row is normalised anyway, so adding it to the column sums makes
// them exact in one pass. A head's sinks are known once all of its rows are done; what then?
//
// - A head whose weights fit into `kept_weights` bytes (1,024 tokens as it is set, a few cores' share of a
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
// block's scores (16 * keys) and the kept weights, for each chosen head 16 bytes a key. It grows as N, not as
// N^2, but for the maps said above. Threads: (batch, head) pairs in parallel, results independent of how
// many; serial inside a parallel region. Query heads that share keys and values pack them once a thread; up
// to six queries, as in decoding, read them where they are.
#pragma once

#include <act/attention_checks.hpp>
#include <act/attention_view.hpp>
#include <act/attention_workspace.hpp>
#include <act/calibrate.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/kernels/attention_head.hpp>
#include <act/kernels/fused_head.hpp>
#include <act/kernels/sink_correction.hpp>
#include <act/kernels/weight_calibration.hpp>
#include <act/options.hpp>
#include <act/parallel.hpp>
#include <act/sinks.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace act::inline ACT_ABI {

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
  detail::check_attention<T>(q, k, v, out, heads, calibration, options);
  if (plain.data != nullptr) detail::check_attention<T>(q, k, v, plain, heads, calibration, options);
  const bool keeps_map = !heads.empty() && detail::needs_map(calibration);
  if (keeps_map) detail::check_map_request<T>(q, k, calibration, options);
  using head_type = detail::attention_head<T, Arch>;
  using correction = detail::sink_correction<T, Arch>;
  const std::size_t chosen = heads.count(q.heads);
  const std::size_t jobs = q.tokens == 0 ? 0 : q.batches * q.heads;
  const bool small = jobs * q.tokens * k.tokens * (q.channels + v.channels) < detail::attention_worth_threads;
  const std::size_t workers = small ? 1 : std::max<std::size_t>(1, std::min(jobs, thread_count()));
  typename head_type::shape shape{q.tokens, k.tokens, q.channels, v.channels};
  if (keeps_map) shape.score_rows = shape.padded_queries();
  const bool packs = q.tokens > detail::fused_head<T, Arch>::few_queries;
  shape.packs = chosen > 0 || packs;
  if (chosen > 0 && !keeps_map && packs) {
    shape.keep_weights(options.visible, q.batches, options.kept_weights / sizeof(accumulator_t<T>));
  }
  const std::size_t memory = shape.memory();
  const std::size_t entries = jobs == 0 ? 0 : q.batches * chosen;
  workspace.reserve(workers, memory, entries, k.tokens);
  calibration_workspace& per_head = workspace.heads();
  report.heads.resize(entries);
  for (std::size_t entry = 0; entry < entries; ++entry) {
    report.heads[entry].batch = entry / chosen;
    report.heads[entry].head = heads.at(entry % chosen);
  }

  const auto run_head = [&](std::size_t worker, detail::packed_head& packed, std::size_t batch,
                            std::size_t head) noexcept {
    head_type of(q, k, v, out, options, batch, head, shape, workspace.of_worker(worker, memory));
    detail::fused_head<T, Arch> task(of);
    const std::size_t number = batch * k.heads + head / (q.heads / k.heads);
    const auto keep_plain = [&] {
      for (std::size_t i = 0; plain.data != nullptr && i < q.tokens; ++i)
        of.copy_waiting(i, plain.row(batch, head, i));
    };
    if (!heads.contains(head)) {
      task.attend(nullptr, packed, number);
      for (std::size_t i = 0; plain.data != nullptr && i < q.tokens; ++i)
        std::copy_n(out.row(batch, head, i), v.channels, plain.row(batch, head, i));
      return;
    }
    std::size_t entry = batch * chosen;
    while (report.heads[entry].head != head)
      ++entry;
    const std::span<double> sums = per_head.sums(entry, k.tokens);
    const std::span<std::size_t> positions = per_head.positions(entry, k.tokens);
    if (keeps_map) {
      task.weigh(packed, number);
      if (plain.data != nullptr) {
        task.mix_map();
        for (std::size_t i = 0; i < q.tokens; ++i)
          std::copy_n(out.row(batch, head, i), v.channels, plain.row(batch, head, i));
      }
      per_head.result(entry) = detail::calibrate_own_map(of, calibration, options.visible,
                                                         workspace.map_of_worker(worker), sums, positions);
      task.mix_map();
      return;
    }
    const bool carries = !options.carried_sums.empty();
    std::fill(sums.begin(), sums.end(), 0.0);
    if (shape.kept > 0) {
      task.keep(sums.data(), packed, number);
    } else {
      task.attend(sums.data(), packed, number);
      keep_plain();
    }
    if (carries) {
      double* const carried = options.carried_sums.data() + (batch * q.heads + head) * k.tokens;
      for (std::size_t j = 0; j < k.tokens; ++j)
        sums[j] = carried[j] += sums[j];
    }
    const std::size_t last_row = options.visible.query_offset + q.tokens;
    const std::size_t first_row = carries ? 0 : options.visible.query_offset;
    detail::divide_by_rows(options.visible, batch, first_row, last_row, sums);
    std::size_t count = 0;
    detail::for_each_sink(sums, options.visible, batch, first_row, last_row, calibration.sinks,
                          compatibility::none,
                          [&](std::size_t position, double) noexcept { positions[count++] = position; });
    if (shape.kept > 0) {
      detail::weight_calibration<T, Arch> calibrate_rows(of, positions.first(count), calibration.beta);
      task.mix_kept(calibrate_rows, [&](std::size_t i) {
        return plain.data == nullptr ? nullptr : plain.row(batch, head, i);
      });
      per_head.result(entry) = {count, calibrate_rows.moved()};
      return;
    }
    per_head.result(entry) = {
        count, correction(of, positions.first(count), calibration.beta, correction::most_of_own).run()};
    if (count > correction::few) packed = {};
  };
  std::atomic<std::size_t> next{0};
  parallel_for(workers, [&](std::size_t worker) noexcept {
    detail::packed_head packed;
    for (std::size_t job = next++; job < jobs; job = next++)
      run_head(worker, packed, job / q.heads, job % q.heads);
  });

  for (std::size_t entry = 0; entry < entries; ++entry) {
    head_report& each = report.heads[entry];
    each.moved_mass = per_head.result(entry).moved_mass;
    each.sinks.resize(per_head.result(entry).sinks);
    for (std::size_t s = 0; s < each.sinks.size(); ++s) {
      const std::size_t position = per_head.positions(entry, k.tokens)[s];
      each.sinks[s] = {position, per_head.sums(entry, k.tokens)[position]};
    }
  }
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

}  // namespace act::inline ACT_ABI
