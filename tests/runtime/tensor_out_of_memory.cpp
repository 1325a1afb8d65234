// A tensor that reaches a row beyond its memory: under the address sanitizer core_attention() ends the
// program with where it lies, though the core's kernels aren't instrumented there.
#include <act/attention_workspace.hpp>
#include <act/head_tensor.hpp>
#include <act/runtime/layers/core_attention.hpp>

#include <cstddef>
#include <type_traits>
#include <vector>

int main() {
  constexpr std::size_t tokens = 5, channels = 16;
  const std::vector<float> rows(tokens * channels, 1.0F);
  std::vector<float> out(tokens * channels);
  const auto all = [](auto* data, std::size_t count) {
    return act::head_tensor<std::remove_pointer_t<decltype(data)>>{.data = data,
                                                                   .batches = 1,
                                                                   .heads = 1,
                                                                   .tokens = count,
                                                                   .channels = channels,
                                                                   .token_stride = channels};
  };
  act::attention_workspace<float> workspace;
  act::calibration_report report;
  const auto queries = all(rows.data(), tokens), keys = all(rows.data(), tokens + 1);
  act::runtime::core_attention(queries, keys, keys, all(out.data(), tokens), {}, {},
                               {.visible = {.query_offset = 1}}, workspace, report);
}
