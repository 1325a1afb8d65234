// Where an architecture's weights are in a checkpoint, and in which order: data, so that one loader
// (weights.hpp) serves them all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

/// The rows of a tensor that holds queries, keys and values.
enum class fused_rows {
  one_after_another,  ///< all queries, then all keys, then all values
  head_by_head,       ///< of each head: its query, its key, its value (GPT-NeoX, BLOOM)
};

/// What a norm of queries or keys runs over.
enum class head_norm {
  each_head,      ///< one weight vector for all heads (Qwen 3, Gemma 3)
  each_head_own,  ///< each head with weights of its own, in a tensor [heads, head_size], or a tensor a head
                  ///< where the name has a second "{}" (StableLM)
  all_heads,      ///< the whole row at once (OLMo 2)
};

/// Tensor names without ".weight" or ".bias". In the layers' names "{}" stands for the layer's number. An
/// empty name is a tensor that the architecture doesn't have.
struct tensor_layout {
  std::string embedding;
  std::string embedding_norm;
  std::string positions;  ///< learned positions
  std::string project_in;
  std::string project_out;
  std::string output;
  std::string final_norm;

  std::string attention_norm;         ///< of what attention reads
  std::string attention_output_norm;  ///< of what attention adds
  std::string attention_sum_norm;     ///< of the residual stream behind it
  std::string query;
  std::string key;
  std::string value;
  std::string query_key_value;  ///< instead of these three
  fused_rows fused = fused_rows::one_after_another;
  std::string query_norm;
  std::string key_norm;
  head_norm head_norms = head_norm::each_head;
  std::string attention_output;

  std::string feed_forward_norm;  ///< as attention's three
  std::string feed_forward_output_norm;
  std::string feed_forward_sum_norm;
  std::string gate;  ///< empty for feed-forward blocks without one
  std::string up;
  std::string gate_up;  ///< instead of these two: gate's rows, then up's
  std::string down;

  bool inputs_first = false;     ///< the layers' matrices are [inputs, outputs] (GPT-2)
  float norm_weight_offset = 0;  ///< added to the weights of norms (Gemma's folders store weight - 1)
  /// Other beginnings of names, tried in this order where a tensor isn't found: {"model.", ""} finds the
  /// tensors of a checkpoint that was saved without its head.
  std::vector<std::pair<std::string, std::string>> other_beginnings = {};
};

/// The names of most Hugging Face folders since Llama.
[[nodiscard]] tensor_layout folder_layout();

/// The names in GGUF files: llama.cpp uses the same ones for all of its architectures.
[[nodiscard]] tensor_layout gguf_layout();

/// `pattern` with its first "{}" replaced by `number`.
[[nodiscard]] std::string with_number(std::string_view pattern, std::size_t number);

}  // namespace act::runtime
