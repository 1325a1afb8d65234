#include <act/error.hpp>
#include <act/runtime/model.hpp>

namespace act::runtime {

void refuse_logits(const model& model) {
  throw error(error_code::invalid_input, "model " + model.config.architecture,
              "a prompt's logits aren't finite; the weights are damaged or overflow float32, fetch the model "
              "again");
}

}  // namespace act::runtime
