// OPT: LayerNorm, learned positions that start at row 2, ReLU, biases; the 350m shape normalises behind the
// blocks and has a narrower vocabulary matrix, Galactica's shapes drop biases.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>

#include <cstddef>
#include <string>

namespace act::runtime {
namespace {

tensor_layout layout(bool norm_first) {
  const std::string layers = "model.decoder.layers.{}.";
  tensor_layout names;
  names.embedding = "model.decoder.embed_tokens";
  names.positions = "model.decoder.embed_positions";
  names.project_in = "model.decoder.project_in";
  names.project_out = "model.decoder.project_out";
  names.output = "lm_head";
  names.final_norm = "model.decoder.final_layer_norm";
  (norm_first ? names.attention_norm : names.attention_sum_norm) = layers + "self_attn_layer_norm";
  names.query = layers + "self_attn.q_proj";
  names.key = layers + "self_attn.k_proj";
  names.value = layers + "self_attn.v_proj";
  names.attention_output = layers + "self_attn.out_proj";
  (norm_first ? names.feed_forward_norm : names.feed_forward_sum_norm) = layers + "final_layer_norm";
  names.up = layers + "fc1";
  names.down = layers + "fc2";
  names.other_beginnings = {{"model.", ""}};
  return names;
}

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50272},
                         .hidden = {"hidden_size", 768},
                         .inner = {"ffn_dim", 3072},
                         .layers = {"num_hidden_layers", 12},
                         .heads = {"num_attention_heads", 12},
                         .kv_heads = {},
                         .head_size = {},
                         .norm_epsilon = "layer_norm_eps",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer,
                         .activation = "activation_function",
                         .activation_absent = "relu",
                         .gated = false,
                         .tied_absent = true};
  const bool norm_first = file.get_or("do_layer_norm_before", true);
  model_description made{.config = read_sizes(file, "opt", keys), .tensors = layout(norm_first)};
  model_config& config = made.config;
  config.norm_epsilon = 1e-5F;  // OPT has no such setting
  config.embedding = file.size_or("word_embed_proj_dim", config.hidden);
  config.norm_parameters = file.get_or("layer_norm_elementwise_affine", true);
  if (!norm_first || file.get_or("_remove_final_layer_norm", false)) made.tensors.final_norm.clear();
  config.learned_positions = true;
  config.position_offset = 2;
  config.attention_biases = biases_if(file.get_or("enable_bias", true));
  config.attention_output_biases = config.feed_forward_biases = config.attention_biases;
  return made;
}

}  // namespace

constinit const architecture opt{
    .model_type = "opt", .gguf_name = "", .from_folder = from_folder, .from_gguf = nullptr};

}  // namespace act::runtime
