// Calibration for engines with an attention kernel of their own: after it ran, from its output and
// log-sum-exp. No map, and the kernel stays as it is. For flash-style kernels that can say each row's
// log-sum-exp.
//
// The correction is calibrated_attention.hpp's: O' = c O + (beta - c) * sum over sinks of A[s] V[s], with
// A[s] = exp(score - LSE), and rows with more than three quarters on sinks computed anew. Without column
// scores from the outside a second pass over Q K^T finds them: 2 * d multiply-adds for each visible pair,
// half of attention itself. Columns that the options choose need neither.
#pragma once

#include <act/attention_workspace.hpp>
#include <act/calibration_report.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/kernels/sink_correction.hpp>
#include <act/detail/overlap.hpp>
#include <act/detail/report_heads.hpp>
#include <act/detail/rules/row_rule.hpp>
#include <act/element.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// Calibrates the chosen heads' outputs in place. `out` [B, H, queries, e] is plain attention; `log_sum_exp`
/// [B, H, queries], packed, the logarithm of each row's softmax denominator (learned sinks included; rows
/// that see nothing may hold anything); q, k, v and `options` are what the kernel was given. `scores` [B, H,
/// keys] are the chosen heads' column scores where the kernel has them; empty: a pass over q and k finds
/// them, with `carried_sums` as calibrated_attention's where the prompt comes in chunks. Accumulated in float
/// or better; `out` is rounded once more for half types. `out` and `carried_sums` may not overlap each other
/// or what is read. Throws act::error, or std::bad_alloc, before the first write. Heads in parallel; results
/// don't depend on the number of threads.
/// @tparam T element type of the tensors
/// @tparam Arch instruction set (simd.hpp)
/// @param out plain outputs [B, H, queries, e], corrected in place
/// @param log_sum_exp natural logarithms [B, H, queries], packed
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param heads which of the H heads are calibrated
/// @param calibration rule, beta; proportional or renormalised redistribution only
/// @param options what the kernel was told
/// @param scores column scores [B, H, keys], packed; empty: found here
/// @param carried_sums raw column sums [B, H, keys] of earlier chunks, added to; empty: a whole prompt
/// @return what was done: one entry for each chosen head and batch entry
template <class T, class Arch = simd::default_arch>
requires attention_element<T> calibration_report correct_output(
    const head_tensor<T>& out, std::span<const accumulator_t<T>> log_sum_exp,
    const head_tensor<const std::type_identity_t<T>>& q, const head_tensor<const std::type_identity_t<T>>& k,
    const head_tensor<const std::type_identity_t<T>>& v, const layer_heads& heads,
    const calibration_options& calibration = {}, const attention_options& options = {},
    std::span<const double> scores = {}, std::span<double> carried_sums = {}) {
  const detail::attention_request<T> request{
      q, k, v, out, {}, &heads, calibration, options, {carried_sums, k.tokens}};
  detail::check_attention(request);
  if (detail::needs_map(calibration)) {
    detail::raise(error_code::unsupported, "redistribute",
                  "outputs can be corrected for proportional and renormalised redistribution only");
  }
  if (log_sum_exp.size() != q.batches * q.heads * q.tokens) {
    detail::raise(error_code::invalid_shape, "log_sum_exp", "needs batches * heads * queries numbers");
  }
  if (!scores.empty() && (scores.size() != q.batches * q.heads * k.tokens || !carried_sums.empty())) {
    detail::raise(error_code::invalid_shape, "scores",
                  "need batches * heads * keys numbers, and no carried_sums");
  }
  const detail::strided_memory written[] = {detail::memory_of(out), detail::memory_of(carried_sums)};
  detail::check_apart(written[0], "out", detail::memory_of(log_sum_exp), "log_sum_exp");
  detail::check_apart(written[0], "out", detail::memory_of(scores), "scores");
  detail::check_apart(written[1], "carried_sums", detail::memory_of(log_sum_exp), "log_sum_exp");

  using correction = detail::sink_correction<T, Arch>;
  const detail::attention_request<T> seen = request.seen_keys();
  const std::size_t chosen = request.chosen(), keys = seen.k.tokens;
  detail::attention_plan<T, Arch> plan(seen.q, seen.k, v.channels, chosen, chosen);
  plan.shape.corrects = true;
  attention_workspace<accumulator_t<T>> workspace;
  plan.reserve(workspace);
  calibration_report report;
  detail::begin_report(report, q.tokens == 0 ? 0 : q.batches, chosen, heads, keys);

  const auto correct_head = [&](std::size_t worker, detail::packed_head& packed, std::size_t job) noexcept {
    const std::size_t batch = job / chosen, head = heads.at(job % chosen);
    const std::size_t at = batch * q.heads + head;
    const std::span<double> sums = workspace.heads().sums(job, keys);
    const std::span<std::size_t> positions = workspace.heads().positions(job, keys);
    detail::attention_head<T, Arch> of(seen.q, seen.k, seen.v, out, options, batch, head, plan.shape,
                                       workspace.of_worker(worker, plan.shape.memory()));
    detail::fused_head<T, Arch> task(of);
    const auto adopted = task.adopt(log_sum_exp.data() + at * q.tokens);
    if (calibration.columns != column_choice::sinks && seen.carried.empty()) {
      // Nobody asks for scores.
    } else if (scores.empty()) {
      std::fill(sums.begin(), sums.end(), 0.0);
      adopted.add_column_sums(sums.data(), packed, batch * k.heads + head / (q.heads / k.heads));
      detail::score_columns(sums, options, seen.carried, batch, at, q.tokens);
    } else {
      std::copy_n(scores.data() + at * k.tokens, keys, sums.begin());
    }
    const std::size_t count =
        detail::find_columns(sums, options, seen.carried, calibration, batch, q.tokens, positions);
    correction correct(of, positions.first(count), detail::scaling_of(calibration.of_head(head)),
                       correction::most_of_foreign);
    workspace.heads().result(job) = {detail::sinks_among(count, calibration), correct.run()};
    if (correct.took_panels()) packed = {};
  };
  detail::for_each_job<detail::packed_head>(plan.workers, plan.jobs, correct_head);
  detail::end_report(report, workspace.heads(), keys);
  return report;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
