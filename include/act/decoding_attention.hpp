// One decoding step's attention with calibration built in: a new token's queries over the cache of keys and
// values, each chosen head with its sink_tracker. For engines that decode with a cache and have no attention
// kernel of their own; an engine that has one calls sink_tracker::calibrate_row on its row of weights.
//
// Cost: keys and values are read once, where they are (4 * d multiply-adds a key and head); the tracker adds
// what its header says. Threads: (batch, head) pairs in parallel, results independent of how many; serial
// inside a parallel region.
#pragma once

#include <act/attention_view.hpp>
#include <act/attention_workspace.hpp>
#include <act/call_context.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/attention_types.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/detail/memory_parts.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/sink_tracker.hpp>
#include <act/status.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// A call, past its arguments: what it refuses, what memory it takes, and its work.
template <class Types, class Arch>
class decoding_call {
  using A = typename Types::accumulator;
  using shape_type = typename attention_head<Types, Arch>::shape;
  using plan_type = attention_plan<Types, Arch>;

 public:
  decoding_call(const attention_request<Types>& request, std::span<sink_tracker> trackers,
                const executor& on) noexcept
      : of_(request), trackers_(trackers), on_(on), refused_(find_refusal()), plan_(plan()) {}

  [[nodiscard]] refusal check() const noexcept { return either(refused_, plan_.check()); }
  /// Whether each tracker has room for the step.
  [[nodiscard]] refusal check_room() const noexcept {
    refusal found;
    for_each_tracker([&](sink_tracker& tracker, std::size_t) {
      if (tracker.capacity() < of_.k.tokens) {
        found = {status::workspace_too_small,
                 {"trackers", "have room for fewer keys than k has: reserve() it beforehand"}};
      }
    });
    return found;
  }
  /// Takes it; throws std::bad_alloc.
  void make_room() const {
    for_each_tracker([&](sink_tracker& tracker, std::size_t) { tracker.reserve(of_.k.tokens); });
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }

  /// Works in bytes() of memory.
  void run(std::byte* bytes) const noexcept {
    memory_parts parts(bytes);
    const typename plan_type::attention_memory memory(parts, plan_);
    for_each_job<packed_head>(on_, plan_.workers, plan_.jobs,
                              [&](std::size_t worker, packed_head&, std::size_t job) noexcept {
                                const std::size_t batch = job / of_.q.heads, head = job % of_.q.heads;
                                attend(of_.entry(batch), memory.of_worker(worker), head,
                                       of_.heads->contains(head) ? &trackers_[job] : nullptr);
                                clear_padding(of_.out, of_.options.visible, batch, head);
                              });
  }

 private:
  // use(tracker, batch) for each that a head of the call has.
  template <class Use>
  void for_each_tracker(Use&& use) const {
    for (std::size_t job = 0; !of_.heads->empty() && job < trackers_.size(); ++job)
      if (of_.heads->contains(job % of_.q.heads)) use(trackers_[job], job / of_.q.heads);
  }

  [[nodiscard]] refusal find_refusal() const noexcept {
    refusal found = check_attention(of_);
    if (found) return found;
    if (!of_.options.visible.causal())
      return not_done("visible", "must be causal while decoding: calibrated_attention takes the rest");
    if (!of_.heads->empty() && trackers_.size() != of_.q.batches * of_.q.heads)
      return bad_shape("trackers", "need one for each batch entry and head");
    for_each_tracker([&](const sink_tracker& tracker, std::size_t batch) {
      if (tracker.keys() > of_.options.visible.offset(batch))
        found = bad_shape("trackers", "know more keys than there are before the first row");
    });
    return found;
  }

  [[nodiscard]] plan_type plan() const noexcept {
    attention_request<Types> of = of_;
    if (refused_) of.q.tokens = 0;  // no plan
    return {of, of.q.heads, 0, on_, shape_of};
  }

  [[nodiscard]] static shape_type shape_of(const attention_request<Types>& one) noexcept {
    shape_type shape{one.q.tokens, one.k.tokens, one.q.channels, one.v.channels};
    shape.score_rows = 1;
    shape.packs = false;
    return shape;
  }

  void attend(const attention_request<Types>& one, std::span<A> scratch, std::size_t head,
              sink_tracker* tracker) const noexcept {
    attention_head<Types, Arch> of(one.q, one.k, one.v, one.out, one.options, head, shape_of(one), scratch);
    fused_head<Types, Arch> task(of);
    for (std::size_t i = 0; i < one.q.tokens; ++i) {
      const key_range seen = of.seen(i);
      if (tracker != nullptr) tracker->prefetch(seen.end);
      const auto row = task.softmax_row(i, [&](std::size_t from, std::size_t to) {
        if (tracker != nullptr) tracker->prefetch(from, to);
      });
      A factor = of.inverse_sum[i];  // 0 in a row that sees nothing, which counts all the same
      if (tracker != nullptr) {
        const double sum = factor == 0 ? 0 : static_cast<double>(of.mass[i]) / static_cast<double>(factor);
        factor = tracker->template calibrate_unnormalised<A, Arch>(std::span(of.scores, seen.end), seen,
                                                                   factor, sum);
      }
      row.multiply_values(factor);
    }
  }

  const attention_request<Types>& of_;
  const std::span<sink_tracker> trackers_;
  const executor on_;
  const refusal refused_;
  const plan_type plan_;
};

}  // namespace detail

/// out = attention of q over k and v, shapes and options as calibrated_attention's; q usually holds one token
/// a sequence, and visible.query_offset, or query_offsets, the keys before it; a sequence without a row in
/// this step has a query_counts of 0. Rows of the heads in `heads` are calibrated one by one, in order, by
/// `trackers` [batch, head] (those of other heads aren't used), which take each raw row in. A tracker knows
/// at most the keys before the first row. `out` may not overlap what is read. Throws act::error
/// (invalid_shape, invalid_option), or std::bad_alloc, before the first write and before any tracker has
/// taken a row in.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param out gets the outputs [B, H, queries, e]
/// @param heads which of the H heads are calibrated
/// @param trackers one for each batch entry and head [B, H]; may be empty where `heads` is
/// @param options what attention itself is told
/// @param workspace scratch memory; grows to what the call needs
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
void decoding_attention(const head_tensor<Q>& q, const head_tensor<C>& k, const values_of<C>& v,
                        const head_tensor<T>& out, const layer_heads& heads, std::span<sink_tracker> trackers,
                        const attention_options& options, attention_workspace<accumulator_t<T>>& workspace) {
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,      k,  v,       out, {},
                                                                     &heads, {}, options, {}};
  const detail::decoding_call<detail::types_of<T, Q, C>, Arch> call(request, trackers, {});
  detail::raise_if(call.check());
  call.make_room();
  call.run(workspace.take(call.bytes()).data());
}

/// Bytes of workspace that try_decoding_attention takes, on the threads of `run_on`. Reads no element; 0
/// where the call would be refused. It grows with k.tokens alone from step to step: ask for the most.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q,k,v,out,options as the call's
/// @param run_on the call's executor
/// @return bytes
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
[[nodiscard]] std::size_t decoding_attention_workspace(const head_tensor<Q>& q, const head_tensor<C>& k,
                                                       const values_of<C>& v, const head_tensor<T>& out,
                                                       const attention_options& options,
                                                       const executor& run_on = {}) noexcept {
  const layer_heads nobody;
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,       k,  v,       out, {},
                                                                     &nobody, {}, options, {}};
  const detail::decoding_call<detail::types_of<T, Q, C>, Arch> call(request, {}, run_on);
  return call.check() ? 0 : call.bytes();
}

/// decoding_attention for engines: throws nothing, allocates nothing, runs on the engine's threads. The
/// trackers of chosen heads have room for k.tokens keys (sink_tracker::reserve). See call_context.hpp, whose
/// report isn't filled here; everything else as above. With any answer but `ok` nothing was written, and no
/// tracker took a row in.
/// @tparam T element type of the outputs
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries, and of keys and values, computed in what T is
/// @param q,k,v,out,heads,trackers,options as above
/// @param context memory (decoding_attention_workspace() bytes), threads
/// @return ok, invalid_shape, invalid_option, workspace_too_small
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> status
try_decoding_attention(const head_tensor<Q>& q, const head_tensor<C>& k, const values_of<C>& v,
                       const head_tensor<T>& out, const layer_heads& heads, std::span<sink_tracker> trackers,
                       const attention_options& options, const call_context& context)
noexcept {
  const detail::attention_request<detail::types_of<T, Q, C>> request{q,      k,  v,       out, {},
                                                                     &heads, {}, options, {}};
  const detail::decoding_call<detail::types_of<T, Q, C>, Arch> call(request, trackers, context.run_on);
  detail::refusal found = call.check();
  if (!found)
    found = detail::either(call.check_room(), detail::check_memory(context.workspace, call.bytes()));
  if (!found) call.run(context.workspace.data());
  return detail::answer(found, context.refused);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
