// One decoding step's attention with calibration built in: a new token's queries over the cache of keys and
// values, each chosen head with its sink_tracker. For engines that decode with a cache and have no attention
// kernel of their own; an engine that has one calls sink_tracker::calibrate_row on its row of weights.
//
// Cost: keys and values are read once, where they are (4 * d multiply-adds a key and head); the tracker adds
// what its header says. Threads: (batch, head) pairs in parallel, results independent of how many; serial
// inside a parallel region.
#pragma once

#include <act/attention_workspace.hpp>
#include <act/detail/attention_checks.hpp>
#include <act/detail/attention_plan.hpp>
#include <act/detail/attention_request.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/attention_row.hpp>
#include <act/detail/kernels/fused_head.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/options.hpp>
#include <act/simd.hpp>
#include <act/sink_tracker.hpp>

#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// out = attention of q over k and v, shapes and options as calibrated_attention's; q usually holds one token
/// a sequence, and visible.query_offset the keys before it. Rows of the heads in `heads` are calibrated one
/// by one, in order, by `trackers` [batch, head] (those of other heads aren't used), which take each raw row
/// in. A tracker knows at most the keys before the first row. `out` may not overlap what is read. Throws
/// act::error (invalid_shape, invalid_option), or std::bad_alloc, before the first write and before any
/// tracker has taken a row in.
/// @tparam T element type of all tensors
/// @tparam Arch instruction set (simd.hpp)
/// @param q queries [B, H, queries, d]
/// @param k keys [B, G, keys, d]
/// @param v values [B, G, keys, e]
/// @param out gets the outputs [B, H, queries, e]
/// @param heads which of the H heads are calibrated
/// @param trackers one for each batch entry and head [B, H]; may be empty where `heads` is
/// @param options what attention itself is told
/// @param workspace scratch memory; grows to what the call needs
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void decoding_attention(const head_tensor<const std::type_identity_t<T>>& q,
                        const head_tensor<const std::type_identity_t<T>>& k,
                        const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out,
                        const layer_heads& heads, std::span<sink_tracker> trackers,
                        const attention_options& options, attention_workspace<accumulator_t<T>>& workspace) {
  const detail::attention_request<T> request{q, k, v, out, {}, &heads, {}, options, {}};
  detail::check_attention(request);
  if (!heads.empty() && trackers.size() != q.batches * q.heads) {
    detail::raise(error_code::invalid_shape, "trackers", "need one for each batch entry and head");
  }
  for (std::size_t job = 0; !heads.empty() && job < trackers.size(); ++job) {
    if (!heads.contains(job % q.heads)) continue;
    if (trackers[job].keys() > options.visible.query_offset) {
      detail::raise(error_code::invalid_shape, "trackers",
                    "know more keys than there are before the first row");
    }
    trackers[job].reserve(k.tokens);
  }
  using A = accumulator_t<T>;
  const detail::attention_request<T> all = request.seen_keys();
  detail::attention_plan<T, Arch> plan(all.q, all.k, v.channels, q.heads, 0);
  plan.shape.score_rows = 1;
  plan.shape.packs = false;
  plan.reserve(workspace);
  const auto attend = [&](std::size_t worker, detail::packed_head&, std::size_t job) noexcept {
    const std::size_t batch = job / q.heads, head = job % q.heads;
    detail::attention_head<T, Arch> of(all.q, all.k, all.v, out, options, batch, head, plan.shape,
                                       workspace.of_worker(worker, plan.shape.memory()));
    detail::fused_head<T, Arch> task(of);
    sink_tracker* const tracker = heads.contains(head) ? &trackers[job] : nullptr;
    for (std::size_t i = 0; i < q.tokens; ++i) {
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
  };
  detail::for_each_job<detail::packed_head>(plan.workers, plan.jobs, attend);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
