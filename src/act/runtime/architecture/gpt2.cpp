// GPT-2: learned positions, queries, keys and values in one tensor, folders' matrices with inputs first.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

#include <cmath>
#include <cstddef>
#include <string>

namespace act::runtime {
namespace {

tensor_layout layout() {
  const std::string layers = "transformer.h.{}.";
  tensor_layout names;
  names.embedding = "transformer.wte";
  names.positions = "transformer.wpe";
  names.output = "lm_head";
  names.final_norm = "transformer.ln_f";
  names.attention_norm = layers + "ln_1";
  names.query_key_value = layers + "attn.c_attn";
  names.attention_output = layers + "attn.c_proj";
  names.feed_forward_norm = layers + "ln_2";
  names.up = layers + "mlp.c_fc";
  names.down = layers + "mlp.c_proj";
  names.inputs_first = true;
  names.other_beginnings = {{"transformer.", ""}};  // as the first files of GPT-2 have them
  return names;
}

void require_biases(model_config& config) {
  config.attention_biases = config.attention_output_biases = config.feed_forward_biases = biases::required;
}

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50257},
                         .hidden = {"n_embd", 768, "hidden_size"},
                         .inner = {"n_inner", 0},
                         .layers = {"n_layer", 12, "num_hidden_layers"},
                         .heads = {"n_head", 12, "num_attention_heads"},
                         .kv_heads = {},
                         .head_size = {},
                         .context = {"n_positions", 1024, "max_position_embeddings"},
                         .norm_epsilon = "layer_norm_epsilon",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer,
                         .activation = "activation_function",
                         .activation_absent = "gelu_new",
                         .gated = false,
                         .tied_absent = true};
  model_description made{.config = read_sizes(file, "gpt2", keys), .tensors = layout()};
  model_config& config = made.config;
  config.learned_positions = true;
  require_biases(config);
  if (file.get_or("add_cross_attention", false))
    file.refuse("add_cross_attention", "is true, which act doesn't support");
  const bool scaled = file.get_or("scale_attn_weights", true);
  const bool by_layer = file.get_or("scale_attn_by_inverse_layer_idx", false);
  if (!scaled || by_layer) {
    for (std::size_t layer = 0; layer < config.layers; ++layer) {
      const float whole = scaled ? 1.0F / std::sqrt(static_cast<float>(config.head_size)) : 1.0F;
      config.attention.push_back({.scale = by_layer ? whole / static_cast<float>(layer + 1) : whole});
    }
  }
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "gpt2");
  model_description made{.config = read_sizes(settings, "gpt2", norm_kind::layer), .tensors = gguf_layout()};
  made.config.learned_positions = true;
  made.config.gated_feed_forward = false;
  made.config.feed_forward_activation = activation::gelu_tanh;
  require_biases(made.config);
  made.tensors.positions = "position_embd";
  made.tensors.query_key_value = "blk.{}.attn_qkv";
  return made;
}

}  // namespace

constinit const architecture gpt2{
    .model_type = "gpt2", .gguf_name = "gpt2", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
