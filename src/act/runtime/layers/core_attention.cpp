#include <act/attention_weights.hpp>
#include <act/calibrated_attention.hpp>
#include <act/decoding_attention.hpp>
#include <act/runtime/layers/core_attention.hpp>
#include <act/runtime/products/look_at_memory.hpp>

#include <cstddef>

namespace act::runtime {
namespace {

#ifdef ACT_LOOK_AT_TENSORS
template <class T>
void look_at(const head_tensor<T>& tensor) {
  for (std::size_t batch = 0; batch < tensor.batches; ++batch)
    for (std::size_t head = 0; head < tensor.heads; ++head)
      for (std::size_t token = 0; token < tensor.tokens; ++token)
        look_at_memory(tensor.row(batch, head, token), tensor.channels * sizeof(T));
}
template <class T>
void look_at(std::span<T> values) {
  look_at_memory(values.data(), values.size_bytes());
}
template <class... Each>
void look_at_each(const Each&... each) {
  (look_at(each), ...);
}
#else
template <class... Each>
void look_at_each(const Each&... /*each*/) {}
#endif

}  // namespace

template <class K>
void core_attention(const head_tensor<const float>& q, const head_tensor<const K>& k,
                    const head_tensor<const K>& v, const head_tensor<float>& out, const layer_heads& heads,
                    const calibration_options& calibration, const attention_options& options,
                    attention_workspace<float>& workspace, calibration_report& report,
                    const head_tensor<float>& plain, std::span<double> sums) {
  look_at_each(q, k, v, out, plain, sums);
  calibrated_attention(q, k, v, out, heads, calibration, options, workspace, report, plain, sums);
}

template <class K>
void core_decoding_attention(const head_tensor<const float>& q, const head_tensor<const K>& k,
                             const head_tensor<const K>& v, const head_tensor<float>& out,
                             const layer_heads& heads, std::span<sink_tracker> trackers,
                             const attention_options& options, attention_workspace<float>& workspace) {
  look_at_each(q, k, v, out, trackers);
  decoding_attention(q, k, v, out, heads, trackers, options, workspace);
}

#define ACT_CORE_ATTENTION_OF(K)                                                                           \
  template void core_attention(                                                                            \
      const head_tensor<const float>&, const head_tensor<const K>&, const head_tensor<const K>&,           \
      const head_tensor<float>&, const layer_heads&, const calibration_options&, const attention_options&, \
      attention_workspace<float>&, calibration_report&, const head_tensor<float>&, std::span<double>);     \
  template void core_decoding_attention(const head_tensor<const float>&, const head_tensor<const K>&,      \
                                        const head_tensor<const K>&, const head_tensor<float>&,            \
                                        const layer_heads&, std::span<sink_tracker>,                       \
                                        const attention_options&, attention_workspace<float>&);
ACT_CORE_ATTENTION_OF(float)
ACT_CORE_ATTENTION_OF(float16)
#undef ACT_CORE_ATTENTION_OF

void core_attention_weights(const head_tensor<const float>& q, const head_tensor<const float>& k,
                            const attention_span<float>& map, const attention_options& options,
                            attention_workspace<float>& workspace) {
  look_at_each(q, k, std::span<const float>(map.data, map.queries * map.query_stride));
  attention_weights(q, k, map, options, workspace);
}

}  // namespace act::runtime
