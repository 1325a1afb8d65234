#include <act/error.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/model.hpp>

#include <cstdint>

namespace act::runtime {

std::uint64_t stored_bytes(const model& model) noexcept {
  std::uint64_t sum = 0;
  for (const decoder_layer& layer : model.layers) {
    for (const linear* each :
         {&layer.query, &layer.key_value, &layer.attention_output, &layer.mlp.up, &layer.mlp.down})
      sum += each->weight.bytes();
  }
  return sum;
}

void refuse_logits(const model& model) {
  throw error(error_code::invalid_input, "model " + model.config.architecture,
              "a prompt's logits aren't finite; the weights are damaged or overflow float32, fetch the model "
              "again");
}

}  // namespace act::runtime
