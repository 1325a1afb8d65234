// Calibration for engines with an attention kernel of their own: after it ran, from its output and
// log-sum-exp. No map, and the kernel stays as it is. For flash-style kernels that can say each row's
// log-sum-exp.
//
// The correction is calibrated_attention.hpp's: O' = c O + (beta - c) * sum over sinks of A[s] V[s], with
// A[s] = exp(score - LSE), and rows with more than three quarters on sinks computed anew. Without column
// scores from the outside a second pass over Q K^T finds them: 2 * d multiply-adds for each visible pair,
// half of attention itself. Columns that the options choose need neither.
#pragma once

#include <act/calibration_report.hpp>
#include <act/calibration_workspace.hpp>
#include <act/call_context.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/attention_types.hpp>
#include <act/detail/build.hpp>
#include <act/detail/chosen_memory.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/kernels/sink_correction.hpp>
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

/// A call, past its arguments: what it refuses, what memory it takes, and its work.
template <class Types, class Arch>
class correction_call {
  using A = typename Types::accumulator;
  using correction = sink_correction<Types, Arch>;
  using shape_type = typename attention_head<Types, Arch>::shape;
  using plan_type = attention_plan<Types, Arch>;

 public:
  correction_call(const attention_request<Types>& request, std::span<const A> log_sum_exp,
                  std::span<const double> scores, const executor& on) noexcept
      : of_(request),
        log_sum_exp_(log_sum_exp),
        scores_(scores),
        on_(on),
        refused_(check_correction(request, log_sum_exp, scores)),
        plan_(plan()) {}

  [[nodiscard]] refusal check() const noexcept { return either(refused_, plan_.check()); }
  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }
  [[nodiscard]] std::size_t keys() const noexcept { return plan_.keys; }
  [[nodiscard]] std::size_t batches() const noexcept { return of_.q.tokens == 0 ? 0 : of_.q.batches; }
  [[nodiscard]] std::size_t chosen() const noexcept { return of_.chosen(); }
  /// Whether a report can have scores.
  [[nodiscard]] bool scored() const noexcept { return of_.calibration.columns == column_choice::sinks; }

  /// Works in bytes() of memory. What it leaves there can be reported.
  chosen_memory run(std::byte* bytes) const noexcept {
    memory_parts parts(bytes);
    const typename plan_type::attention_memory memory(parts, plan_);
    for_each_job<packed_head>(on_, plan_.workers, plan_.jobs,
                              [&](std::size_t worker, packed_head& packed, std::size_t job) noexcept {
                                correct(of_.entry(job / chosen()), memory.heads, memory.of_worker(worker),
                                        packed, job);
                              });
    return memory.heads;
  }

 private:
  [[nodiscard]] plan_type plan() const noexcept {
    attention_request<Types> of = of_;
    if (refused_) of.q.tokens = 0;  // no plan
    return {of, of.chosen(), of.chosen(), on_, shape_of};
  }

  [[nodiscard]] static shape_type shape_of(const attention_request<Types>& one) noexcept {
    shape_type shape{one.q.tokens, one.k.tokens, one.q.channels, one.v.channels};
    shape.corrects = true;
    return shape;
  }

  // `one` is the request of the job's batch entry.
  void correct(const attention_request<Types>& one, const chosen_memory& memory, std::span<A> scratch,
               packed_head& packed, std::size_t job) const noexcept {
    const std::size_t batch = job / chosen(), head = one.heads->at(job % chosen());
    const std::size_t at = batch * one.q.heads + head, keys = one.k.tokens;
    const std::span<double> all_sums = memory.sums(job), sums = all_sums.first(keys);
    const std::span<std::size_t> positions = memory.positions(job).first(keys);
    attention_head<Types, Arch> of(one.q, one.k, one.v, one.out, one.options, head, shape_of(one), scratch);
    fused_head<Types, Arch> task(of);
    const auto adopted = task.adopt(log_sum_exp_.data() + at * of_.q.tokens);
    std::fill(all_sums.begin(), all_sums.end(), 0.0);
    if (one.calibration.columns != column_choice::sinks && one.carried.empty()) {
      // Nobody asks for scores.
    } else if (scores_.empty()) {
      adopted.add_column_sums(sums.data(), packed, batch * one.k.heads + head / (one.q.heads / one.k.heads));
      score_columns(sums, one.options, one.carried, at, one.q.tokens);
    } else {
      std::copy_n(scores_.data() + at * of_.k.tokens, keys, sums.begin());
    }
    const std::size_t count =
        find_columns(sums, one.options, one.carried, one.calibration, one.q.tokens, positions);
    correction correct(of, positions.first(count), scaling_of(one.calibration.of_head(head)),
                       correction::most_of_foreign);
    memory.result(job) = {sinks_among(count, one.calibration), correct.run()};
    if (correct.took_panels()) packed = {};
  }

  const attention_request<Types>& of_;
  std::span<const A> log_sum_exp_;
  std::span<const double> scores_;
  const executor on_;
  const refusal refused_;
  const plan_type plan_;
};

}  // namespace detail

/// Calibrates the chosen heads' outputs in place. `out` [B, H, queries, e] is plain attention; `log_sum_exp`
/// [B, H, queries], packed, the logarithm of each row's softmax denominator (learned sinks included; rows
/// that see nothing may hold anything); q, k, v and `options` are what the kernel was given. `scores` [B, H,
/// keys] are the chosen heads' column scores where the kernel has them; empty: a pass over q and k finds
/// them, with `carried_sums` as calibrated_attention's where the prompt comes in chunks. Accumulated in float
/// or better; `out` is rounded once more for half types. `out` and `carried_sums` may not overlap each other
/// or what is read. Rows of padding of a ragged batch stay as they are. Throws act::error, or std::bad_alloc,
/// before the first write. Heads in parallel; results don't depend on the number of threads.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
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
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> calibration_report correct_output(
    const head_tensor<T>& out, std::span<const accumulator_t<T>> log_sum_exp, const head_tensor<Q>& q,
    const head_tensor<C>& k, const values_of<C>& v, const layer_heads& heads,
    const calibration_options& calibration = {}, const attention_options& options = {},
    std::span<const double> scores = {}, std::span<double> carried_sums = {}) {
  const detail::attention_request<detail::types_of<T, Q, C>> request{
      q, k, v, out, {}, &heads, calibration, options, {carried_sums, k.tokens}};
  const detail::correction_call<detail::types_of<T, Q, C>, Arch> call(request, log_sum_exp, scores, {});
  detail::raise_if(call.check());
  calibration_workspace workspace;
  const std::span<std::byte> memory = workspace.take(call.bytes());
  calibration_report report;
  detail::begin_report(report, call.batches(), call.chosen(), heads, call.keys());
  detail::end_report(report, call.run(memory.data()));
  return report;
}

/// Bytes of workspace that try_correct_output takes, on the threads of `run_on`. Reads no element; 0
/// where the call would be refused.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param out,q,k,v,heads,calibration,options as the call's
/// @param run_on the call's executor
/// @return bytes
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
[[nodiscard]] std::size_t correct_output_workspace(const head_tensor<T>& out, const head_tensor<Q>& q,
                                                   const head_tensor<C>& k, const values_of<C>& v,
                                                   const layer_heads& heads,
                                                   const calibration_options& calibration = {},
                                                   const attention_options& options = {},
                                                   const executor& run_on = {}) noexcept {
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,      k,           v,       out, {},
                                                                     &heads, calibration, options, {}};
  // As many as the call will bring; nobody reads them. Where q's shape is absurd, its own check says so
  // first.
  const std::span<const accumulator_t<T>> unread(static_cast<const accumulator_t<T>*>(nullptr),
                                                 q.batches * q.heads * q.tokens);
  const detail::correction_call<detail::types_of<T, Q, C>, Arch> call(request, unread, {}, run_on);
  return call.check() ? 0 : call.bytes();
}

/// correct_output for engines: throws nothing, allocates nothing, runs on the engine's threads. See
/// call_context.hpp; everything else as above. With any answer but `ok` nothing was written.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param out,log_sum_exp,q,k,v,heads,calibration,options as above
/// @param context memory (correct_output_workspace() bytes), threads, report
/// @param scores,carried_sums as above
/// @return ok, invalid_shape, invalid_option, unsupported, workspace_too_small
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> status try_correct_output(
    const head_tensor<T>& out, std::span<const accumulator_t<T>> log_sum_exp, const head_tensor<Q>& q,
    const head_tensor<C>& k, const values_of<C>& v, const layer_heads& heads,
    const calibration_options& calibration, const attention_options& options, const call_context& context,
    std::span<const double> scores = {}, std::span<double> carried_sums = {})
noexcept {
  const detail::attention_request<detail::types_of<T, Q, C>> request{
      q, k, v, out, {}, &heads, calibration, options, {carried_sums, k.tokens}};
  const detail::correction_call<detail::types_of<T, Q, C>, Arch> call(request, log_sum_exp, scores,
                                                                      context.run_on);
  detail::refusal found = call.check();
  if (!found) found = detail::check_memory(context.workspace, call.bytes());
  if (!found) {
    detail::write_report(context.report, call.run(context.workspace.data()), heads, q.heads, k.tokens,
                         call.scored());
  }
  return detail::answer(found, context.refused);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
