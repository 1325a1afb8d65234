// BLOOM: no positions but slopes on the scores (ALiBi, Press et al. 2022), and a norm behind the embedding.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace act::runtime {
namespace {

// ALiBi's: a geometric series for a power of two of heads; for other numbers the rest of the heads have every
// other slope of the series that is twice as long.
std::vector<float> alibi_slopes(std::size_t heads) {
  const std::size_t power = std::bit_floor(heads);
  std::vector<float> slopes;
  for (std::size_t head = 0; head < heads; ++head) {
    const double base = std::exp2(-8.0 / static_cast<double>(head < power ? power : 2 * power));
    const std::size_t exponent = head < power ? head + 1 : 2 * (head - power) + 1;
    slopes.push_back(static_cast<float>(std::pow(base, static_cast<double>(exponent))));
  }
  return slopes;
}

void complete(model_config& config) {
  config.slopes = alibi_slopes(config.heads);
  config.gated_feed_forward = false;
  config.feed_forward_activation = activation::gelu_tanh;
  config.attention_biases = config.attention_output_biases = config.feed_forward_biases = biases::required;
}

tensor_layout layout() {
  const std::string layers = "transformer.h.{}.";
  tensor_layout names;
  names.embedding = "transformer.word_embeddings";
  names.embedding_norm = "transformer.word_embeddings_layernorm";
  names.output = "lm_head";
  names.final_norm = "transformer.ln_f";
  names.attention_norm = layers + "input_layernorm";
  names.query_key_value = layers + "self_attention.query_key_value";
  names.fused = fused_rows::head_by_head;
  names.attention_output = layers + "self_attention.dense";
  names.feed_forward_norm = layers + "post_attention_layernorm";
  names.up = layers + "mlp.dense_h_to_4h";
  names.down = layers + "mlp.dense_4h_to_h";
  names.other_beginnings = {{"transformer.", ""}};  // as BLOOM was published
  return names;
}

model_description from_folder(const hf_config& file) {
  // Slopes reach any length: `seq_length` is what the model was trained with.
  const folder_keys keys{.vocabulary = {"vocab_size", 250880},
                         .hidden = {"hidden_size", 64, "n_embed"},
                         .inner = {},
                         .layers = {"n_layer", 2, "num_hidden_layers"},
                         .heads = {"n_head", 8, "num_attention_heads"},
                         .kv_heads = {},
                         .head_size = {},
                         .context = {"seq_length", 2048},
                         .norm_epsilon = "layer_norm_epsilon",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer,
                         .gated = false,
                         .tied_absent = true};
  model_description made{.config = read_sizes(file, "bloom", keys), .tensors = layout()};
  complete(made.config);
  if (file.get_or("apply_residual_connection_post_layernorm", false))
    made.config.residual = residual_form::from_norm;
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "bloom");
  model_description made{.config = read_sizes(settings, "bloom", norm_kind::layer), .tensors = gguf_layout()};
  complete(made.config);
  made.tensors.embedding_norm = "token_embd_norm";
  made.tensors.query_key_value = "blk.{}.attn_qkv";
  return made;
}

}  // namespace

constinit const architecture bloom{
    .model_type = "bloom", .gguf_name = "bloom", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
