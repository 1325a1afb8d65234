// StableLM 2: LayerNorm, rotary positions over a quarter of each head; by switches biases on queries, keys
// and values, norms over each head's query and key, and one norm for both branches side by side.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>
#include <act/runtime/checkpoint/gguf.hpp>

namespace act::runtime {
namespace {

// Both branches read the first norm.
void run_in_parallel(model_description& made) {
  made.config.residual = residual_form::parallel;
  made.tensors.feed_forward_norm = made.tensors.attention_norm;
}

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 50304},
                         .hidden = {"hidden_size", 2560},
                         .inner = {"intermediate_size", 6912},
                         .kv_heads = {"num_key_value_heads", 32},
                         .head_size = {},
                         .context = {"max_position_embeddings", 4096},
                         .norm_epsilon = "layer_norm_eps",
                         .norm_epsilon_absent = 1e-5,
                         .norm_type = norm_kind::layer};
  model_description made{.config = read_sizes(file, "stablelm", keys), .tensors = folder_layout()};
  add_rotary(file, {.fraction_absent = 0.25}, made.config);
  made.config.attention_biases = biases_if(file.get_or("use_qkv_bias", false));
  if (file.get_or("use_parallel_residual", false)) run_in_parallel(made);
  if (file.get_or("qk_layernorm", false)) {
    made.tensors.query_norm = "model.layers.{}.self_attn.q_layernorm.norms.{}";
    made.tensors.key_norm = "model.layers.{}.self_attn.k_layernorm.norms.{}";
    made.tensors.head_norms = head_norm::each_head_own;
  }
  return made;
}

// As llama.cpp, what the file holds decides about the switches that metadata doesn't tell.
model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "stablelm");
  model_description made{.config = read_sizes(settings, "stablelm", norm_kind::layer),
                         .tensors = gguf_layout()};
  add_rotary(settings, rotary_pairing::halves, made.config);
  if (file.find_tensor("blk.0.ffn_norm.weight") == nullptr) run_in_parallel(made);
  if (file.find_tensor("blk.0.attn_q_norm.weight") != nullptr) {
    made.tensors.query_norm = "blk.{}.attn_q_norm";
    made.tensors.key_norm = "blk.{}.attn_k_norm";
    made.tensors.head_norms = head_norm::each_head_own;
  }
  return made;
}

}  // namespace

constinit const architecture stablelm{
    .model_type = "stablelm", .gguf_name = "stablelm", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
