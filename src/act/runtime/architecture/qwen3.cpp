// Qwen 3: Qwen 2 without its biases, and a norm over each head's query and key before positions.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>
#include <act/runtime/architecture/qwen.hpp>

namespace act::runtime {
namespace {

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 151936},
                         .inner = {"intermediate_size", 22016},
                         .kv_heads = {"num_key_value_heads", 32},
                         .head_size = {"head_dim", 128},
                         .context = {"max_position_embeddings", 32768}};
  model_description made = qwen_from_folder(file, "qwen3", keys);
  made.config.attention_biases = biases_if(file.get_or("attention_bias", false));
  made.config.attention_output_biases = made.config.attention_biases;
  made.tensors.query_norm = "model.layers.{}.self_attn.q_norm";
  made.tensors.key_norm = "model.layers.{}.self_attn.k_norm";
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "qwen3");
  model_description made{.config = read_sizes(settings, "qwen3", norm_kind::rms), .tensors = gguf_layout()};
  add_rotary(settings, rotary_pairing::halves, made.config);
  made.tensors.query_norm = "blk.{}.attn_q_norm";
  made.tensors.key_norm = "blk.{}.attn_k_norm";
  return made;
}

}  // namespace

constinit const architecture qwen3{
    .model_type = "qwen3", .gguf_name = "qwen3", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
