// Where an architecture's weights are in a checkpoint: names as data, so that one loader serves them all.
#pragma once

#include <act/version.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace act::inline ACT_ABI {

/// Tensor names without ".weight" or ".bias". In the layers' names "{}" stands for the layer's number. An
/// empty name is a tensor that the architecture doesn't have. Biases are read where the checkpoint has them.
struct tensor_names {
  std::string embedding;
  std::string output;  ///< absent from the file: tied to the embedding
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
  return {.embedding = "token_embd",
          .output = "output",
          .final_norm = "output_norm",
          .attention_norm = "blk.{}.attn_norm",
          .query = "blk.{}.attn_q",
          .key = "blk.{}.attn_k",
          .value = "blk.{}.attn_v",
          .attention_output = "blk.{}.attn_output",
          .feed_forward_norm = "blk.{}.ffn_norm",
          .gate = "blk.{}.ffn_gate",
          .up = "blk.{}.ffn_up",
          .down = "blk.{}.ffn_down"};
}

/// `pattern` with "{}" replaced by `layer`.
[[nodiscard]] inline std::string in_layer(std::string_view pattern, std::size_t layer) {
  std::string name(pattern);
  if (const std::size_t at = name.find("{}"); at != std::string::npos)
    name.replace(at, 2, std::to_string(layer));
  return name;
}

}  // namespace act::inline ACT_ABI
