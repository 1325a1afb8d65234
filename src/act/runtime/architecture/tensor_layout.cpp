#include <act/runtime/architecture/tensor_layout.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::runtime {

tensor_layout folder_layout() {
  tensor_layout layout;
  layout.embedding = "model.embed_tokens";
  layout.output = "lm_head";
  layout.final_norm = "model.norm";
  layout.attention_norm = "model.layers.{}.input_layernorm";
  layout.query = "model.layers.{}.self_attn.q_proj";
  layout.key = "model.layers.{}.self_attn.k_proj";
  layout.value = "model.layers.{}.self_attn.v_proj";
  layout.attention_output = "model.layers.{}.self_attn.o_proj";
  layout.feed_forward_norm = "model.layers.{}.post_attention_layernorm";
  layout.gate = "model.layers.{}.mlp.gate_proj";
  layout.up = "model.layers.{}.mlp.up_proj";
  layout.down = "model.layers.{}.mlp.down_proj";
  layout.other_beginnings = {{"model.", ""}};
  return layout;
}

tensor_layout gguf_layout() {
  tensor_layout layout;
  layout.embedding = "token_embd";
  layout.output = "output";
  layout.final_norm = "output_norm";
  layout.attention_norm = "blk.{}.attn_norm";
  layout.query = "blk.{}.attn_q";
  layout.key = "blk.{}.attn_k";
  layout.value = "blk.{}.attn_v";
  layout.attention_output = "blk.{}.attn_output";
  layout.feed_forward_norm = "blk.{}.ffn_norm";
  layout.gate = "blk.{}.ffn_gate";
  layout.up = "blk.{}.ffn_up";
  layout.down = "blk.{}.ffn_down";
  return layout;
}

std::string with_number(std::string_view pattern, std::size_t number) {
  std::string name(pattern);
  if (const std::size_t at = name.find("{}"); at != std::string::npos)
    name.replace(at, 2, std::to_string(number));
  return name;
}

}  // namespace act::runtime
