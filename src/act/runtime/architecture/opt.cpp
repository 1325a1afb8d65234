#include <act/runtime/architecture/opt.hpp>
#include <act/runtime/architecture/tensor_names.hpp>
#include <act/runtime/checkpoint/hf_settings.hpp>
#include <act/runtime/model.hpp>

namespace act::runtime {

model_config opt_config(const hf_config& file) {
  const hf_opt_settings settings = read_hf_opt(file);
  model_config config;
  config.architecture = "opt";
  config.layers = settings.layers;
  config.hidden = settings.hidden;
  config.embedding = settings.embedding;
  config.inner = settings.inner;
  config.context = settings.context;
  config.heads = settings.heads;
  config.kv_heads = settings.heads;
  config.head_size = settings.head_size;
  config.vocabulary = settings.vocabulary;
  config.norm_type = norm_kind::layer;
  config.norm_epsilon = 1e-5F;
  config.norm_at = settings.norm_first ? norm_place::before : norm_place::after;
  config.norm_parameters = settings.norm_parameters;
  config.final_norm = settings.final_norm;
  config.learned_positions = true;
  config.position_offset = 2;
  config.feed_forward_activation = activation_named(settings.activation);
  config.gated_feed_forward = false;
  config.tied_output = settings.tied_output;
  config.attention_biases = settings.biases ? biases::required : biases::none;
  config.feed_forward_biases = config.attention_biases;
  return config;
}

tensor_names opt_tensor_names() {
  tensor_names names;
  names.embedding = "model.decoder.embed_tokens";
  names.positions = "model.decoder.embed_positions";
  names.project_in = "model.decoder.project_in";
  names.project_out = "model.decoder.project_out";
  names.output = "lm_head";
  names.final_norm = "model.decoder.final_layer_norm";
  names.attention_norm = "model.decoder.layers.{}.self_attn_layer_norm";
  names.query = "model.decoder.layers.{}.self_attn.q_proj";
  names.key = "model.decoder.layers.{}.self_attn.k_proj";
  names.value = "model.decoder.layers.{}.self_attn.v_proj";
  names.attention_output = "model.decoder.layers.{}.self_attn.out_proj";
  names.feed_forward_norm = "model.decoder.layers.{}.final_layer_norm";
  names.up = "model.decoder.layers.{}.fc1";
  names.down = "model.decoder.layers.{}.fc2";
  return names;
}

}  // namespace act::runtime
