// act::cuda::correct_output for the three element types.
#include "correction.hpp"

#include <act/cuda/calibrate.cuh>

namespace {

template <class T>
act::cuda::head_tensor<T> as_tensor(const tensor_view& view) {
  return {static_cast<T*>(view.data), view.batches,     view.heads,       view.tokens, view.channels,
          view.batch_stride,          view.head_stride, view.token_stride};
}

act::calibration_options options_of(const correction_call& call) {
  act::calibration_options options;
  options.sinks.alpha = call.alpha;
  options.beta = call.beta;
  return options;
}

template <class T>
const char* correct_as(const correction_call& call, void* workspace, std::size_t bytes, void* stream) {
  const act::cuda::attention_options attention{.visible = {call.query_offset, call.first_key, call.window}};
  const act::cuda::status answer = act::cuda::correct_output(
      as_tensor<T>(call.out), call.log_sum_exp, as_tensor<const T>(call.q), as_tensor<const T>(call.k),
      as_tensor<const T>(call.v), {call.head_words}, options_of(call), attention, workspace, bytes,
      static_cast<cudaStream_t>(stream), call.scores,
      {.sink_counts = call.sink_counts,
       .sink_positions = call.sink_positions,
       .moved_mass = call.moved_mass});
  return answer == act::cuda::status::ok ? nullptr : act::cuda::describe(answer);
}

}  // namespace

std::size_t workspace_bytes(const correction_call& call) {
  return act::cuda::correction_workspace(as_tensor<float>(call.q), as_tensor<float>(call.k), options_of(call),
                                         call.scores != nullptr);
}

const char* correct(const correction_call& call, void* workspace, std::size_t bytes, void* stream) {
  switch (call.type) {
    case element::float32:
      return correct_as<float>(call, workspace, bytes, stream);
    case element::float16:
      return correct_as<__half>(call, workspace, bytes, stream);
    case element::bfloat16:
      return correct_as<__nv_bfloat16>(call, workspace, bytes, stream);
  }
  return "not an element type";
}
