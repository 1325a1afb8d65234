#include <act/runtime/architecture/tensor_names.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::runtime {

tensor_names gguf_tensor_names() {
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

std::string in_layer(std::string_view pattern, std::size_t layer) {
  std::string name(pattern);
  if (const std::size_t at = name.find("{}"); at != std::string::npos)
    name.replace(at, 2, std::to_string(layer));
  return name;
}

}  // namespace act::runtime
