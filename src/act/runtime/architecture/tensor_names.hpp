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
[[nodiscard]] inline tensor_names gguf_tensor_names() {
  tensor_names names;
  names.embedding = "token_embd";
  names.output = "output";
  names.final_norm = "output_norm";
  names.attention_norm = "blk.{}.attn_norm";
  names.query = "blk.{}.attn_q";
  names.key = "blk.{}.attn_k";
  names.value = "blk.{}.attn_v";
  names.attention_output = "blk.{}.attn_output";
  names.feed_forward_norm = "blk.{}.ffn_norm";
  names.gate = "blk.{}.ffn_gate";
  names.up = "blk.{}.ffn_up";
  names.down = "blk.{}.ffn_down";
  return names;
}

/// `pattern` with "{}" replaced by `layer`.
[[nodiscard]] inline std::string in_layer(std::string_view pattern, std::size_t layer) {
  std::string name(pattern);
  if (const std::size_t at = name.find("{}"); at != std::string::npos)
    name.replace(at, 2, std::to_string(layer));
  return name;
}

}  // namespace act::runtime
