// Gemma 2: every other layer has a window; scores and logits are capped; norms on both ends of both branches.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gemma.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace act::runtime {

folder_keys gemma_keys(std::size_t vocabulary_absent, std::size_t context_absent) {
  return {.vocabulary = {"vocab_size", vocabulary_absent},
          .hidden = {"hidden_size", 2304},
          .inner = {"intermediate_size", 9216},
          .layers = {"num_hidden_layers", 26},
          .heads = {"num_attention_heads", 8},
          .kv_heads = {"num_key_value_heads", 4},
          .head_size = {"head_dim", 256},
          .context = {"max_position_embeddings", context_absent},
          .activation = "hidden_activation",
          .activation_absent = "gelu_pytorch_tanh",
          .tied_absent = true};
}

model_description gemma_from_folder(const hf_config& file, const char* architecture,
                                    const folder_keys& keys) {
  model_description made{.config = read_sizes(file, architecture, keys), .tensors = folder_layout()};
  model_config& config = made.config;
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
  config.attention_biases = biases_if(file.get_or("attention_bias", false));
  config.attention_output_biases = config.attention_biases;
  if (file.get_or("use_bidirectional_attention", false))
    file.refuse("use_bidirectional_attention", "is true: tokens see later ones, which act doesn't support");
  tensor_layout& names = made.tensors;
  names.norm_weight_offset = 1;
  names.attention_output_norm = "model.layers.{}.post_attention_layernorm";
  names.feed_forward_norm = "model.layers.{}.pre_feedforward_layernorm";
  names.feed_forward_output_norm = "model.layers.{}.post_feedforward_layernorm";
  return made;
}

model_description gemma_from_gguf(const gguf_settings& from, const char* architecture) {
  model_description made{.config = read_sizes(from, architecture, norm_kind::rms), .tensors = gguf_layout()};
  made.config.embedding_scale = std::sqrt(static_cast<float>(made.config.hidden));
  made.config.feed_forward_activation = activation::gelu_tanh;
  made.tensors.attention_output_norm = "blk.{}.post_attention_norm";
  made.tensors.feed_forward_output_norm = "blk.{}.post_ffw_norm";
  return made;
}

float gemma_gguf_scale(const model_config& config, std::size_t layers_of_largest) noexcept {
  const std::size_t size =
      config.layers == layers_of_largest ? config.hidden / config.heads : config.head_size;
  return 1.0F / std::sqrt(static_cast<float>(size));
}

namespace {

// Layers 0, 2, 4 ... have the window.
std::vector<layer_attention> alternating(std::size_t layers, const layer_attention& sliding,
                                         const layer_attention& full) {
  std::vector<layer_attention> attention;
  for (std::size_t layer = 0; layer < layers; ++layer)
    attention.push_back(layer % 2 == 0 ? sliding : full);
  return attention;
}

// A cap that is absent or null.
float cap_or(const hf_config& file, const char* key, double absent) {
  return file.is_null(key) ? 0.0F : static_cast<float>(file.positive_or(key, absent));
}

model_description from_folder(const hf_config& file) {
  model_description made = gemma_from_folder(file, "gemma2", gemma_keys(256000, 8192));
  model_config& config = made.config;
  add_rotary(file, {}, config);
  config.attention_soft_cap = cap_or(file, "attn_logit_softcapping", 50);
  config.output_soft_cap = cap_or(file, "final_logit_softcapping", 30);
  const float scale = 1.0F / std::sqrt(static_cast<float>(file.positive_or("query_pre_attn_scalar", 256)));
  std::vector<bool> slides;
  for (std::size_t layer = 0; layer < config.layers; ++layer)
    slides.push_back(layer % 2 == 0);
  set_layer_types(file, slides, {.scale = scale, .window = window_of(file, 4096)}, {.scale = scale}, config);
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "gemma2");
  model_description made = gemma_from_gguf(settings, "gemma2");
  model_config& config = made.config;
  add_rotary(settings, rotary_pairing::halves, config);
  config.attention_soft_cap = settings.positive("attn_logit_softcapping").value_or(50.0F);
  config.output_soft_cap = settings.positive("final_logit_softcapping").value_or(30.0F);
  const float scale = gemma_gguf_scale(config, 46);
  config.attention = alternating(
      config.layers, {.scale = scale, .window = settings.count_or("attention.sliding_window", 4096)},
      {.scale = scale});
  return made;
}

}  // namespace

constinit const architecture gemma2{
    .model_type = "gemma2", .gguf_name = "gemma2", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
