// Phi-3 and 3.5: Llama with queries, keys and values in one tensor, gate and up in another, and a window.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

namespace act::runtime {
namespace {

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 32064},
                         .hidden = {"hidden_size", 3072},
                         .inner = {"intermediate_size", 8192},
                         .context = {"max_position_embeddings", 4096},
                         .norm_epsilon_absent = 1e-5};
  model_description made{.config = read_sizes(file, "phi3", keys), .tensors = folder_layout()};
  made.config.attention.assign(made.config.layers, {.window = window_of(file, 0)});
  add_rotary(file, {.original_context_absent = 4096, .yarn_is_longrope = true}, made.config);
  made.tensors.query_key_value = "model.layers.{}.self_attn.qkv_proj";
  made.tensors.gate_up = "model.layers.{}.mlp.gate_up_proj";
  return made;
}

// llama.cpp knows the window and leaves it out ("Phi SWA is currently disabled"); act follows the model.
model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "phi3");
  model_description made{.config = read_sizes(settings, "phi3", norm_kind::rms), .tensors = gguf_layout()};
  made.config.attention.assign(made.config.layers,
                               {.window = settings.count_or("attention.sliding_window", 0)});
  add_rotary(settings, rotary_pairing::halves, made.config);
  made.tensors.query_key_value = "blk.{}.attn_qkv";
  made.tensors.gate_up = "blk.{}.ffn_up";
  return made;
}

}  // namespace

constinit const architecture phi3{
    .model_type = "phi3", .gguf_name = "phi3", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
