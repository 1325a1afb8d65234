// GPT-J: rotary positions over the first numbers of a head, in neighbouring pairs; both branches read the
// same norm; the output has a bias. llama.cpp has no such architecture.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>

#include <cstddef>
#include <string>

namespace act::runtime {
namespace {

tensor_layout layout() {
  const std::string layers = "transformer.h.{}.";
  tensor_layout names;
  names.embedding = "transformer.wte";
  names.output = "lm_head";
  names.final_norm = "transformer.ln_f";
  names.attention_norm = layers + "ln_1";
  names.query = layers + "attn.q_proj";
  names.key = layers + "attn.k_proj";
  names.value = layers + "attn.v_proj";
  names.attention_output = layers + "attn.out_proj";
  names.feed_forward_norm = layers + "ln_1";
  names.up = layers + "mlp.fc_in";
  names.down = layers + "mlp.fc_out";
  names.other_beginnings = {{"transformer.", ""}};
  return names;
}

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50400},
                         .hidden = {"n_embd", 4096, "hidden_size"},
                         .inner = {"n_inner", 0},
                         .layers = {"n_layer", 28, "num_hidden_layers"},
                         .heads = {"n_head", 16, "num_attention_heads"},
                         .kv_heads = {},
                         .head_size = {},
                         .context = {"n_positions", 2048, "max_position_embeddings"},
                         .norm_epsilon = "layer_norm_epsilon",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer,
                         .activation = "activation_function",
                         .activation_absent = "gelu_new",
                         .gated = false};
  model_description made{.config = read_sizes(file, "gptj", keys), .tensors = layout()};
  model_config& config = made.config;
  config.residual = residual_form::parallel;
  config.feed_forward_biases = config.output_biases = biases::required;
  const std::size_t dims = file.is_null("rotary_dim") ? config.head_size : file.size_or("rotary_dim", 64);
  if (dims % 2 != 0 || dims > config.head_size) {
    file.fail("rotary_dim", "turns " + std::to_string(dims) + " numbers of heads of " +
                                std::to_string(config.head_size) + "; an even part of a head is possible");
  }
  config.rotary.push_back({.pairing = rotary_pairing::interleaved, .dims = dims});
  return made;
}

}  // namespace

constinit const architecture gptj{
    .model_type = "gptj", .gguf_name = "", .from_folder = from_folder, .from_gguf = nullptr};

}  // namespace act::runtime
