// Where an architecture's weights are in a checkpoint: names as data, so that one loader serves them all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace act::runtime {

/// Tensor names without ".weight" or ".bias". In the layers' names "{}" stands for the layer's number. An
/// empty name is a tensor that the architecture doesn't have. Biases are read where the checkpoint has them.
struct tensor_names {
  std::string embedding;
  std::string positions;  ///< learned positions
  std::string project_in;
  std::string project_out;
  std::string output;
  std::string final_norm;
  std::string attention_norm;
  std::string query;
  std::string key;
  std::string value;
  std::string attention_output;
  std::string feed_forward_norm;
  std::string gate;  ///< empty for feed-forward blocks without one
  std::string up;
  std::string down;
};

/// The names in GGUF files: llama.cpp uses the same ones for all of its architectures.
[[nodiscard]] tensor_names gguf_tensor_names();

/// `pattern` with "{}" replaced by `layer`.
[[nodiscard]] std::string in_layer(std::string_view pattern, std::size_t layer);

}  // namespace act::runtime
