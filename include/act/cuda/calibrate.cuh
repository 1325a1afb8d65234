// The door to calibration in device memory: the same as the core's calls, on a stream of yours, at the speed
// of the memory. For engines whose attention runs on a GPU, compiled by nvcc (C++20). Never included by
// another header of act.
//
//   #include <act/cuda/calibrate.cuh>
//   auto map = act::cuda::attention_map<__half>::packed(weights, batches, heads, tokens, tokens);
//   std::size_t bytes = act::cuda::calibrate_workspace(map);              // once for a shape
//   act::cuda::status done = act::cuda::calibrate(map, chosen, {}, workspace, bytes, stream);
//
// Every call only enqueues: it allocates nothing, waits for nothing, throws nothing and can be captured in a
// CUDA graph. Its pointers are to device memory but for the structures themselves; they are read when the
// work runs, so a replayed graph follows what they point to: heads, padding, lengths. Two calls that may run
// at the same time need a workspace each. What is checked is what the host can see: shapes, strides, options.
// Elements: float, __half, __nv_bfloat16, and act::float16, act::bfloat16, which are the same bits.
//
// Semantics are the core's (docs/core.md), for the paper's proportional redistribution; results differ from
// its by roundings. They don't depend on the order in which blocks run.
#pragma once

#include <act/cuda/attention_map.hpp>
#include <act/cuda/head_bits.hpp>
#include <act/cuda/head_tensor.hpp>
#include <act/cuda/launcher.cuh>
#include <act/cuda/map_calibration.hpp>
#include <act/cuda/output_correction.hpp>
#include <act/cuda/status.hpp>
#include <act/cuda/tracker.hpp>
#include <act/cuda/tracker_state.hpp>
#include <act/cuda/visibility.hpp>
#include <act/half.hpp>
#include <act/options.hpp>
#include <act/version.hpp>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace act::inline ACT_ABI::cuda {

namespace detail {

/// The type that kernels know an engine's elements by.
template <class T>
struct stored_as;
template <>
struct stored_as<float> {
  using type = float;
};
template <>
struct stored_as<float16> {
  using type = float16;
};
template <>
struct stored_as<__half> {
  using type = float16;
};
template <>
struct stored_as<bfloat16> {
  using type = bfloat16;
};
template <>
struct stored_as<__nv_bfloat16> {
  using type = bfloat16;
};
template <class T>
using stored_t = typename stored_as<T>::type;

template <class T>
[[nodiscard]] attention_map<stored_t<T>> as_stored(const attention_map<T>& map) noexcept {
  return {reinterpret_cast<stored_t<T>*>(map.data),
          map.batches,
          map.heads,
          map.queries,
          map.keys,
          map.batch_stride,
          map.head_stride,
          map.query_stride,
          map.visible};
}
template <class T>
[[nodiscard]] auto as_stored(const head_tensor<T>& tensor) noexcept {
  using stored = stored_t<std::remove_const_t<T>>;
  using element = std::conditional_t<std::is_const_v<T>, const stored, stored>;
  return head_tensor<element>{reinterpret_cast<element*>(tensor.data),
                              tensor.batches,
                              tensor.heads,
                              tensor.tokens,
                              tensor.channels,
                              tensor.batch_stride,
                              tensor.head_stride,
                              tensor.token_stride};
}

}  // namespace detail

/// Bytes that calibrate() needs for maps of this shape and these options' rule, wherever they lie: 8 a key
/// and head for every 128 rows, and some 12 more.
template <class T>
[[nodiscard]] std::size_t calibrate_workspace(const attention_map<T>& map,
                                              const calibration_options& options = {},
                                              const map_tuning& tuning = {}) noexcept {
  return detail::map_workspace(detail::as_stored(map), options, tuning);
}

/// Calibrates the chosen heads of a softmaxed map in place. `carried_sums` [batch, head, keys]: a prompt in
/// chunks; begins as zeros, gets each chunk's raw column sums added, and the sinks then come from all rows so
/// far (null: from this map's). `wanted`: what to leave of scores, sinks and moved mass. Cost: each visible
/// element is read once for its column's sum and once for its row, the second time from the second-level
/// cache where a head's map fits there, and written once.
template <class T>
status calibrate(const attention_map<T>& map, head_bits heads, const calibration_options& options,
                 void* workspace, std::size_t workspace_bytes, cudaStream_t stream, const report& wanted = {},
                 double* carried_sums = nullptr, const map_tuning& tuning = {}) noexcept {
  detail::stream_launcher launcher(stream);
  return detail::calibrate_map(launcher, detail::as_stored(map), heads, options, workspace, workspace_bytes,
                               carried_sums, wanted, tuning);
}

/// Bytes that correct_output() needs. With scores of the engine's own it takes less.
template <class T>
[[nodiscard]] std::size_t correction_workspace(const head_tensor<T>& q, const head_tensor<T>& k,
                                               const calibration_options& options = {},
                                               bool scores_given = false,
                                               const correction_tuning& tuning = {}) noexcept {
  return detail::correction_workspace(q.batches * q.heads, q.tokens, k.tokens, options, scores_given, tuning);
}

/// Calibrates the chosen heads' outputs of a flash kernel in place. `out` [batch, head, query, e] is plain
/// attention; `log_sum_exp` [batch, head, query], packed, natural logarithms of each row's softmax
/// denominator (learned sinks included); q, k, v and `attention` are what the kernel was given; k and v may
/// have fewer heads (grouped). `scores` [batch, head, keys] are column scores where the kernel brings them;
/// null: a second pass over Q K^T finds them, half of attention's arithmetic without matrix units.
/// `carried_sums` as calibrate()'s, without `scores` only. At most 256 channels.
template <class T>
status correct_output(const head_tensor<T>& out, const float* log_sum_exp,
                      const head_tensor<const std::type_identity_t<T>>& q,
                      const head_tensor<const std::type_identity_t<T>>& k,
                      const head_tensor<const std::type_identity_t<T>>& v, head_bits heads,
                      const calibration_options& options, const attention_options& attention, void* workspace,
                      std::size_t workspace_bytes, cudaStream_t stream, const double* scores = nullptr,
                      const report& wanted = {}, double* carried_sums = nullptr,
                      const correction_tuning& tuning = {}) noexcept {
  detail::stream_launcher launcher(stream);
  const detail::correction_request<detail::stored_t<T>> request{detail::as_stored(out),
                                                                log_sum_exp,
                                                                detail::as_stored(q),
                                                                detail::as_stored(k),
                                                                detail::as_stored(v),
                                                                heads,
                                                                options,
                                                                attention,
                                                                scores,
                                                                carried_sums};
  return detail::correct<detail::stored_t<T>, 16>(launcher, request, workspace, workspace_bytes, wanted,
                                                  tuning);
}

/// Begins the chosen heads' trackers after a prompt: `sums` [batch, head, stride] are its raw column sums
/// (what calibrate() and correct_output() add to carried sums) over `queries` rows that saw what `visible`
/// says; none without `queries` or earlier keys, and then may be null. Replaces their state.
inline status start_tracker(const tracker_state& state, const double* sums, std::size_t sums_stride,
                            const visibility& visible, std::size_t queries, head_bits heads,
                            const calibration_options& options, cudaStream_t stream) noexcept {
  detail::stream_launcher launcher(stream);
  return detail::start(launcher, state, sums, sums_stride, visible, queries, heads, options);
}

/// One decoding step of a batch: adds each sequence's raw row to its trackers, finds the sinks, and
/// calibrates the row in place. `rows` [batch, head, 1, keys]: the weights of the newest token; lengths[b]:
/// the keys of sequence b now, the new one included, at least as many as before and at most rows.keys and the
/// capacity, or 0 for a sequence that has no row in this step. rows.visible: padding and window; its
/// query_offset isn't used. `moved_mass` [batch, head] may be null.
template <class T>
status step_tracker(const tracker_state& state, const attention_map<T>& rows, const std::int32_t* lengths,
                    head_bits heads, const calibration_options& options, cudaStream_t stream,
                    double* moved_mass = nullptr) noexcept {
  detail::stream_launcher launcher(stream);
  return detail::step(launcher, state, detail::as_stored(rows), lengths, heads, options, moved_mass);
}

}  // namespace act::inline ACT_ABI::cuda
