// The softmaxed attention map itself, from Q and K: for those who look at attention, or want it materialised.
// Same kernels, options and rounding as calibrated_attention, which needs no map and is what to use for
// outputs. A long prompt is looked at a few rows at a time: a map of some queries over all keys up to theirs.
#pragma once

#include <act/attention_view.hpp>
#include <act/attention_workspace.hpp>
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
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

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
  attention_options seen = options;
  seen.visible = map.visible;
  detail::raise_if(
      detail::check_queries_and_keys<std::remove_const_t<Q>, std::remove_const_t<C>>(q, k, seen));
  if (map.batches != q.batches || map.heads != q.heads || map.queries != q.tokens || map.keys != k.tokens) {
    detail::raise(error_code::invalid_shape, "map",
                  "needs the batch entries, heads and tokens of q and the tokens of k");
  }
  throw_if(map.validate(), error_code::invalid_shape);
  const detail::strided_memory written = detail::memory_of(map);
  detail::raise_if(detail::check_apart(written, "map", detail::memory_of(q), ACT_DETAIL_OVERLAPS("q")));
  detail::raise_if(detail::check_apart(written, "map", detail::memory_of(k), ACT_DETAIL_OVERLAPS("k")));

  using types = detail::types_of<T, Q, C>;
  using head_type = detail::attention_head<types, Arch>;
  using shape_type = typename head_type::shape;
  const layer_heads nobody;
  // Nobody's values.
  const values_of<C> v{.data = k.data, .batches = k.batches, .heads = k.heads};
  const detail::attention_request<types> request{q, k, v, {}, {}, &nobody, {}, seen, {}};
  const auto shape_of = [](const detail::attention_request<types>& one) noexcept {
    return shape_type{one.q.tokens, one.k.tokens, one.q.channels, 0};
  };
  using plan_type = detail::attention_plan<types, Arch>;
  const plan_type plan(request, q.heads, 0, {}, shape_of);
  detail::raise_if(plan.check());
  detail::memory_parts parts(workspace.take(plan.bytes()).data());
  const typename plan_type::attention_memory memory(parts, plan);
  detail::for_each_job<detail::packed_head>(
      {}, plan.workers, plan.jobs,
      [&](std::size_t worker, detail::packed_head& packed, std::size_t job) noexcept {
        const std::size_t batch = job / q.heads, head = job % q.heads;
        const detail::attention_request<types> one = request.entry(batch);
        head_type of(one.q, one.k, one.v, one.out, one.options, head, shape_of(one),
                     memory.of_worker(worker));
        detail::fused_head<types, Arch>(of).softmax_each_row(
            packed, batch * k.heads + head / (q.heads / k.heads),
            [&](std::size_t i, const accumulator_t<T>* weights) noexcept {
              const key_range sees = map.visible.row(batch, i);
              T* const to = map.row(batch, head, i);
              std::fill(to, to + k.tokens, element_traits<T>::store(0));
              for (std::size_t j = sees.begin; j < sees.end; ++j)
                to[j] = element_traits<T>::store(weights[j]);
            });
        for (std::size_t i = map.visible.rows(batch, q.tokens); i < q.tokens; ++i)
          std::fill_n(map.row(batch, head, i), k.tokens, element_traits<T>::store(0));
      });
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
