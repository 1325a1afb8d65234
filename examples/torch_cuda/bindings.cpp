// PyTorch's side of the extension: checks, views, memory from PyTorch's allocator.
#include <torch/extension.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "correction.hpp"

namespace {

tensor_view view_of(const at::Tensor& tensor, const char* name) {
  TORCH_CHECK(tensor.is_cuda() && tensor.dim() == 4 && tensor.stride(3) == 1, name,
              ": needs to be on a CUDA device, [batch, head, token, channel], channels contiguous");
  const auto size = [&](int axis) { return static_cast<std::size_t>(tensor.size(axis)); };
  const auto stride = [&](int axis) { return static_cast<std::size_t>(tensor.stride(axis)); };
  return {tensor.data_ptr(), size(0), size(1), size(2), size(3), stride(0), stride(1), stride(2)};
}

element type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return element::float32;
    case at::kHalf:
      return element::float16;
    case at::kBFloat16:
      return element::bfloat16;
    default:
      TORCH_CHECK(false, "out: needs to be float32, float16 or bfloat16");
  }
}

template <class T>
const T* pointer_or_null(const std::optional<at::Tensor>& tensor, at::ScalarType type, int64_t count,
                         const char* name) {
  if (!tensor.has_value()) return nullptr;
  TORCH_CHECK(tensor->is_cuda() && tensor->is_contiguous() && tensor->scalar_type() == type &&
                  tensor->numel() == count,
              name, ": needs ", count, " contiguous elements of type ", type, " on the device");
  return static_cast<const T*>(tensor->data_ptr());
}

/// Corrects `out` in place; returns the sinks' counts [batch, head], their positions [batch, head, keys] and
/// the mass moved [batch, head]. Entries of heads that aren't chosen stay 0.
std::tuple<at::Tensor, at::Tensor, at::Tensor> correct_output(at::Tensor out, at::Tensor log_sum_exp,
                                                              at::Tensor q, at::Tensor k, at::Tensor v,
                                                              std::optional<at::Tensor> head_words,
                                                              std::optional<at::Tensor> first_key,
                                                              std::optional<at::Tensor> scores,
                                                              int64_t query_offset, int64_t window,
                                                              double alpha, double beta, int64_t stream) {
  TORCH_CHECK(query_offset >= 0 && window >= 0, "query_offset and window: need to be 0 or more");
  for (const at::Tensor* each : {&q, &k, &v})
    TORCH_CHECK(each->scalar_type() == out.scalar_type(), "q, k and v: need out's type");
  const int64_t batches = q.size(0), heads = q.size(1), keys = k.size(2);
  const auto ints = q.options().dtype(at::kInt);
  at::Tensor counts = at::zeros({batches, heads}, ints), positions = at::zeros({batches, heads, keys}, ints);
  at::Tensor moved = at::zeros({batches, heads}, q.options().dtype(at::kDouble));
  const correction_call call{
      type_of(out),
      view_of(out, "out"),
      view_of(q, "q"),
      view_of(k, "k"),
      view_of(v, "v"),
      pointer_or_null<float>(log_sum_exp, at::kFloat, batches * heads * q.size(2), "log_sum_exp"),
      reinterpret_cast<const std::uint32_t*>(
          pointer_or_null<std::int32_t>(head_words, at::kInt, (heads + 31) / 32, "head_words")),
      pointer_or_null<std::int32_t>(first_key, at::kInt, batches, "first_key"),
      pointer_or_null<double>(scores, at::kDouble, batches * heads * keys, "scores"),
      static_cast<std::size_t>(query_offset),
      static_cast<std::size_t>(window),
      alpha,
      beta,
      counts.data_ptr<int>(),
      positions.data_ptr<int>(),
      moved.data_ptr<double>()};
  const std::size_t bytes = workspace_bytes(call);
  at::Tensor workspace = at::empty({static_cast<int64_t>(bytes)}, q.options().dtype(at::kByte));
  const char* const wrong = correct(call, workspace.data_ptr(), bytes, reinterpret_cast<void*>(stream));
  TORCH_CHECK(wrong == nullptr, "act: ", wrong);
  return {counts, positions, moved};
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, module) {
  module.def("correct_output", &correct_output);
}
