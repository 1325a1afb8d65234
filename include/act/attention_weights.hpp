// The softmaxed attention map itself, from Q and K: for those who look at attention, or want it materialised.
// Same kernels, options and rounding as calibrated_attention, which needs no map and is what to use for
// outputs. A long prompt is looked at a few rows at a time: a map of some queries over all keys up to theirs.
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
#include <act/detail/overlap.hpp>
#include <act/detail/refusal.hpp>
#include <act/detail/run_workers.hpp>
#include <act/element.hpp>
#include <act/executor.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/simd.hpp>
#include <act/status.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// A call, past its arguments: what it refuses, what memory it takes, and its work.
template <class T, class Types, class Arch>
class weights_call {
  using head_type = attention_head<Types, Arch>;
  using shape_type = typename head_type::shape;
  using plan_type = attention_plan<Types, Arch>;

 public:
  weights_call(const head_tensor<const typename Types::query>& q,
               const head_tensor<const typename Types::cache>& k, const attention_span<T>& map,
               attention_options options, const executor& on) noexcept
      : map_(map),
        request_(request_of(q, k, map, options)),
        on_(on),
        refused_(find_refusal()),
        plan_(plan()) {}

  [[nodiscard]] refusal check() const noexcept { return either(refused_, plan_.check()); }
  [[nodiscard]] std::size_t bytes() const noexcept { return plan_.bytes(); }

  /// Works in bytes() of memory.
  void run(std::byte* bytes) const noexcept {
    memory_parts parts(bytes);
    const typename plan_type::attention_memory memory(parts, plan_);
    for_each_job<packed_head>(on_, plan_.workers, plan_.jobs,
                              [&](std::size_t worker, packed_head& packed, std::size_t job) noexcept {
                                write_head(memory.of_worker(worker), packed, job / request_.q.heads,
                                           job % request_.q.heads);
                              });
  }

 private:
  static attention_request<Types> request_of(const head_tensor<const typename Types::query>& q,
                                             const head_tensor<const typename Types::cache>& k,
                                             const attention_span<T>& map,
                                             attention_options& options) noexcept {
    options.visible = map.visible;
    // Nobody's values.
    const values_of<typename Types::cache> v{.data = k.data, .batches = k.batches, .heads = k.heads};
    return {q, k, v, {}, {}, nullptr, {}, options, {}};
  }

  [[nodiscard]] refusal find_refusal() const noexcept {
    const auto& q = request_.q;
    const auto& k = request_.k;
    if (const refusal found = check_queries_and_keys(q, k, request_.options)) return found;
    if (map_.batches != q.batches || map_.heads != q.heads || map_.queries != q.tokens ||
        map_.keys != k.tokens) {
      return bad_shape("map", "needs the batch entries, heads and tokens of q and the tokens of k");
    }
    if (const refusal found = bad_shape(map_.validate())) return found;
    const strided_memory written = memory_of(map_);
    return either(check_apart(written, "map", memory_of(q), ACT_DETAIL_OVERLAPS("q")),
                  check_apart(written, "map", memory_of(k), ACT_DETAIL_OVERLAPS("k")));
  }

  [[nodiscard]] plan_type plan() const noexcept {
    attention_request<Types> of = request_;
    if (refused_) of.q.tokens = 0;  // no plan
    return {of, of.q.heads, 0, on_, shape_of};
  }

  [[nodiscard]] static shape_type shape_of(const attention_request<Types>& one) noexcept {
    return {one.q.tokens, one.k.tokens, one.q.channels, 0};
  }

  void write_head(std::span<typename Types::accumulator> scratch, packed_head& packed, std::size_t batch,
                  std::size_t head) const noexcept {
    const attention_request<Types> one = request_.entry(batch);
    head_type of(one.q, one.k, one.v, one.out, one.options, head, shape_of(one), scratch);
    const std::size_t number = batch * one.k.heads + head / (one.q.heads / one.k.heads);
    fused_head<Types, Arch>(of).softmax_each_row(
        packed, number, [&](std::size_t i, const typename Types::accumulator* weights) noexcept {
          const key_range sees = map_.visible.row(batch, i);
          T* const to = map_.row(batch, head, i);
          std::fill(to, to + map_.keys, element_traits<T>::store(0));
          for (std::size_t j = sees.begin; j < sees.end; ++j)
            to[j] = element_traits<T>::store(weights[j]);
        });
    for (std::size_t i = map_.visible.rows(batch, map_.queries); i < map_.queries; ++i)
      std::fill_n(map_.row(batch, head, i), map_.keys, element_traits<T>::store(0));
  }

  const attention_span<T>& map_;
  const attention_request<Types> request_;
  const executor on_;
  const refusal refused_;
  const plan_type plan_;
};

}  // namespace detail

/// map[b, h, i, j] = the weight that query i of head h gives to key j; what it doesn't see gets exactly 0.
/// q [B, H, queries, d], k [B, G, keys, d], G divides H, map [B, H, queries, keys] with what its rows see in
/// map.visible; `options.visible` is not read. A row sums to 1, or to less with sink logits; one that sees
/// nothing, or -infinity alone, is 0; one with another score that isn't finite is NaN as far as it sees.
/// `map` may not overlap q or k. Throws act::error (invalid_shape, invalid_option), or std::bad_alloc, before
/// the first write. Cost: d multiply-adds for each visible (query, key) pair, and packing the keys, which is
/// worth about ten queries. Threads: (batch, head) pairs in parallel; serial inside a parallel region.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries and of keys, computed in what T is
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param map gets the weights [B, H, queries, keys]; its `visible` says what rows see
/// @param options scale, cap, slopes, sink logits
/// @param workspace scratch memory; grows to what the call needs
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
void attention_weights(const head_tensor<Q>& q, const head_tensor<C>& k, const attention_span<T>& map,
                       const attention_options& options, attention_workspace<accumulator_t<T>>& workspace) {
  const detail::weights_call<T, detail::types_of<T, Q, C>, Arch> call(q, k, map, options, {});
  detail::raise_if(call.check());
  call.run(workspace.take(call.bytes()).data());
}

/// Bytes of workspace that try_attention_weights takes, on the threads of `run_on`. Reads no element; 0 where
/// the call would be refused.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries and of keys, computed in what T is
/// @param q,k,map,options as the call's
/// @param run_on the call's executor
/// @return bytes
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
[[nodiscard]] std::size_t attention_weights_workspace(const head_tensor<Q>& q, const head_tensor<C>& k,
                                                      const attention_span<T>& map,
                                                      const attention_options& options = {},
                                                      const executor& run_on = {}) noexcept {
  const detail::weights_call<T, detail::types_of<T, Q, C>, Arch> call(q, k, map, options, run_on);
  return call.check() ? 0 : call.bytes();
}

/// attention_weights for engines: throws nothing, allocates nothing, runs on the engine's threads. See
/// call_context.hpp, whose report isn't filled here; everything else as above. With any answer but `ok`
/// nothing was written.
/// @tparam T element type of the map
/// @tparam Arch instruction set (simd.hpp)
/// @tparam Q,C element types of queries and of keys, computed in what T is
/// @param q,k,map,options as above
/// @param context memory (attention_weights_workspace() bytes), threads
/// @return ok, invalid_shape, invalid_option, unsupported, workspace_too_small
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C> status try_attention_weights(const head_tensor<Q>& q,
                                                                  const head_tensor<C>& k,
                                                                  const attention_span<T>& map,
                                                                  const attention_options& options,
                                                                  const call_context& context)
noexcept {
  const detail::weights_call<T, detail::types_of<T, Q, C>, Arch> call(q, k, map, options, context.run_on);
  detail::refusal found = call.check();
  if (!found) found = detail::check_memory(context.workspace, call.bytes());
  if (!found) call.run(context.workspace.data());
  return detail::answer(found, context.refused);
}

/// The same with memory of its own.
/// @param q,k,map,options as above
template <class T, class Arch = simd::default_arch, class Q = T, class C = T>
requires attention_elements<T, Q, C>
void attention_weights(const head_tensor<Q>& q, const head_tensor<C>& k, const attention_span<T>& map,
                       const attention_options& options = {}) {
  attention_workspace<accumulator_t<T>> workspace;
  attention_weights<T, Arch>(q, k, map, options, workspace);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
