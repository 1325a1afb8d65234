// GPT-NeoX and Pythia: rotary positions over a quarter of each head, two norms whose branches run side by
// side unless a switch says otherwise.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

#include <string>

namespace act::runtime {
namespace {

tensor_layout layout() {
  const std::string layers = "gpt_neox.layers.{}.";
  tensor_layout names;
  names.embedding = "gpt_neox.embed_in";
  names.output = "embed_out";
  names.final_norm = "gpt_neox.final_layer_norm";
  names.attention_norm = layers + "input_layernorm";
  names.query_key_value = layers + "attention.query_key_value";
  names.fused = fused_rows::head_by_head;
  names.attention_output = layers + "attention.dense";
  names.feed_forward_norm = layers + "post_attention_layernorm";
  names.up = layers + "mlp.dense_h_to_4h";
  names.down = layers + "mlp.dense_4h_to_h";
  names.other_beginnings = {{"gpt_neox.", ""}, {"embed_out", "lm_head"}};
  return names;
}

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50432},
                         .hidden = {"hidden_size", 6144},
                         .inner = {"intermediate_size", 24576},
                         .layers = {"num_hidden_layers", 44},
                         .heads = {"num_attention_heads", 64},
                         .kv_heads = {},
                         .head_size = {},
                         .norm_epsilon = "layer_norm_eps",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer,
                         .activation_absent = "gelu",
                         .gated = false};
  model_description made{.config = read_sizes(file, "gpt_neox", keys), .tensors = layout()};
  model_config& config = made.config;
  add_rotary(file, {.theta = "rotary_emb_base", .fraction = "rotary_pct", .fraction_absent = 0.25}, config);
  config.residual =
      file.get_or("use_parallel_residual", true) ? residual_form::parallel : residual_form::sequential;
  config.attention_biases = biases_if(file.get_or("attention_bias", true));
  config.attention_output_biases = config.attention_biases;
  config.feed_forward_biases = biases::required;
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "gptneox");
  model_description made{.config = read_sizes(settings, "gptneox", norm_kind::layer),
                         .tensors = gguf_layout()};
  model_config& config = made.config;
  config.architecture = "gpt_neox";
  add_rotary(settings, rotary_pairing::halves, config);
  config.residual =
      settings.flag_or("use_parallel_residual", true) ? residual_form::parallel : residual_form::sequential;
  config.gated_feed_forward = false;
  config.feed_forward_activation = activation::gelu;
  made.tensors.query_key_value = "blk.{}.attn_qkv";
  return made;
}

}  // namespace

constinit const architecture gpt_neox{
    .model_type = "gpt_neox", .gguf_name = "gptneox", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
