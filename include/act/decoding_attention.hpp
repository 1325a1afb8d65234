// One decoding step's attention with calibration built in: a new token's queries over the cache of keys and
// values, each chosen head with its sink_tracker. For engines that decode with a cache and have no attention
// kernel of their own; an engine that has one calls sink_tracker::calibrate_row on its row of weights.
//
// Cost: keys and values are read once, where they are (4 * d multiply-adds a key and head); the tracker adds
// what its header says. Threads: (batch, head) pairs in parallel, results independent of how many; serial
// inside a parallel region.
#pragma once

#include <act/calibrated_attention.hpp>
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/head_tensor.hpp>
#include <act/kernels/attention_head.hpp>
#include <act/kernels/attention_row.hpp>
#include <act/kernels/fused_head.hpp>
#include <act/options.hpp>
#include <act/parallel.hpp>
#include <act/sink_tracker.hpp>
#include <act/version.hpp>

#include <atomic>
#include <cstddef>
#include <span>
#include <type_traits>

namespace act::inline ACT_ABI {

/// out = attention of q over k and v, shapes and options as calibrated_attention's; q usually holds one token
/// a sequence, and visible.query_offset the keys before it. Rows of the heads in `heads` are calibrated one
/// by one, in order, by `trackers` [batch, head] (those of other heads aren't used), which take each raw row
/// in. A tracker knows at most the keys before the first row. Throws act::error before the first write:
/// invalid_shape, invalid_option, unsupported (carried_sums: the trackers hold them).
template <class T, class Arch = simd::default_arch>
requires attention_element<T>
void decoding_attention(const head_tensor<const std::type_identity_t<T>>& q,
                        const head_tensor<const std::type_identity_t<T>>& k,
                        const head_tensor<const std::type_identity_t<T>>& v, const head_tensor<T>& out,
                        const layer_heads& heads, std::span<sink_tracker> trackers,
                        const attention_options& options, attention_workspace<accumulator_t<T>>& workspace) {
  detail::check_attention<T>(q, k, v, out, heads, {}, options);
  if (!options.carried_sums.empty()) {
    throw error(error_code::unsupported, "carried_sums",
                "aren't used in decoding: the trackers hold the sums");
  }
  if (!heads.empty() && trackers.size() != q.batches * q.heads) {
    throw error(error_code::invalid_shape, "trackers", "need one for each batch entry and head");
  }
  for (std::size_t job = 0; !heads.empty() && job < trackers.size(); ++job) {
    if (!heads.contains(job % q.heads)) continue;
    if (trackers[job].keys() > options.visible.query_offset) {
      throw error(error_code::invalid_shape, "trackers",
                  "know more keys than there are before the first row");
    }
    trackers[job].reserve(k.tokens);
  }
  using head_type = detail::attention_head<T, Arch>;
  const typename head_type::shape shape{.queries = q.tokens,
                                        .keys = k.tokens,
                                        .channels = q.channels,
                                        .value_channels = v.channels,
                                        .score_rows = 1,
                                        .packs = false};
  const std::size_t jobs = q.tokens == 0 ? 0 : q.batches * q.heads;
  const bool small = jobs * q.tokens * k.tokens * (q.channels + v.channels) < detail::attention_worth_threads;
  const std::size_t workers = small ? 1 : std::max<std::size_t>(1, std::min(jobs, thread_count()));
  const std::size_t memory = shape.memory();
  workspace.reserve(workers, memory, 0, 0);
  std::atomic<std::size_t> next{0};
  parallel_for(workers, [&](std::size_t worker) noexcept {
    for (std::size_t job = next++; job < jobs; job = next++) {
      const std::size_t batch = job / q.heads, head = job % q.heads;
      head_type of(q, k, v, out, options, batch, head, shape, workspace.of_worker(worker, memory));
      detail::fused_head<T, Arch> task(of);
      const bool calibrates = heads.contains(head);
      for (std::size_t i = 0; i < q.tokens; ++i) {
        task.weigh_row(i);
        const key_range seen = of.seen(i);
        if (calibrates) {
          trackers[job].template calibrate_row<accumulator_t<T>, Arch>(std::span(of.scores, seen.end), seen);
        }
        task.mix_row(i);
      }
    }
  });
}

}  // namespace act::inline ACT_ABI
