// Mistral: Llama with a sliding window in every layer, or none. Its GGUF files call themselves llama.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>

namespace act::runtime {
namespace {

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.inner = {"intermediate_size", 14336},
                         .kv_heads = {"num_key_value_heads", 8},
                         .context = {"max_position_embeddings", 131072}};
  model_description made{.config = read_sizes(file, "mistral", keys), .tensors = folder_layout()};
  add_rotary(file, {}, made.config);
  made.config.attention.assign(made.config.layers, {.window = window_of(file, 4096)});
  return made;
}

}  // namespace

constinit const architecture mistral{
    .model_type = "mistral", .gguf_name = "", .from_folder = from_folder, .from_gguf = nullptr};

}  // namespace act::runtime
