// OLMo 2: norms on what the branches add instead of what they read, and over all queries and all keys of a
// token.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

namespace act::runtime {
namespace {

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50304}, .norm_epsilon_absent = 1e-5};
  model_description made{.config = read_sizes(file, "olmo2", keys), .tensors = folder_layout()};
  add_rotary(file, {}, made.config);
  made.config.attention_biases = biases_if(file.get_or("attention_bias", false));
  made.config.attention_output_biases = made.config.attention_biases;
  tensor_layout& names = made.tensors;
  names.attention_norm.clear();
  names.attention_output_norm = "model.layers.{}.post_attention_layernorm";
  names.feed_forward_norm.clear();
  names.feed_forward_output_norm = "model.layers.{}.post_feedforward_layernorm";
  names.query_norm = "model.layers.{}.self_attn.q_norm";
  names.key_norm = "model.layers.{}.self_attn.k_norm";
  names.head_norms = head_norm::all_heads;
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "olmo2");
  model_description made{.config = read_sizes(settings, "olmo2", norm_kind::rms), .tensors = gguf_layout()};
  add_rotary(settings, rotary_pairing::halves, made.config);
  if (settings.count_or("attention.sliding_window", 0) != 0)
    settings.refuse("attention.sliding_window", "is OLMo 3's, which act doesn't have");
  tensor_layout& names = made.tensors;
  names.attention_norm.clear();
  names.attention_output_norm = "blk.{}.post_attention_norm";
  names.feed_forward_norm.clear();
  names.feed_forward_output_norm = "blk.{}.post_ffw_norm";
  names.query_norm = "blk.{}.attn_q_norm";
  names.key_norm = "blk.{}.attn_k_norm";
  names.head_norms = head_norm::all_heads;
  return made;
}

}  // namespace

constinit const architecture olmo2{
    .model_type = "olmo2", .gguf_name = "olmo2", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
