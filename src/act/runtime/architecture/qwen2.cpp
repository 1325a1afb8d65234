// Qwen 2 and 2.5: Llama with biases on queries, keys and values, and a window in upper layers if a switch
// says so.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>
#include <act/runtime/architecture/qwen.hpp>

namespace act::runtime {

model_description qwen_from_folder(const hf_config& file, const char* architecture, const folder_keys& keys) {
  model_description made{.config = read_sizes(file, architecture, keys), .tensors = folder_layout()};
  model_config& config = made.config;
  add_rotary(file, {}, config);
  if (file.get_or("use_sliding_window", false)) {
    const layer_attention sliding{.window = window_of(file, 0)};
    const std::size_t first = file.get_or("max_window_layers", std::size_t{28});
    std::vector<bool> slides;
    for (std::size_t layer = 0; layer < config.layers; ++layer)
      slides.push_back(sliding.window != 0 && layer >= first);
    set_layer_types(file, slides, sliding, {}, config);
  }
  return made;
}

namespace {

model_description from_folder(const hf_config& file) {
  const folder_keys keys{.vocabulary = {"vocab_size", 151936},
                         .inner = {"intermediate_size", 22016},
                         .kv_heads = {"num_key_value_heads", 32},
                         .context = {"max_position_embeddings", 32768}};
  model_description made = qwen_from_folder(file, "qwen2", keys);
  made.config.attention_biases = biases::required;
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "qwen2");
  model_description made{.config = read_sizes(settings, "qwen2", norm_kind::rms), .tensors = gguf_layout()};
  add_rotary(settings, rotary_pairing::halves, made.config);
  return made;
}

}  // namespace

constinit const architecture qwen2{
    .model_type = "qwen2", .gguf_name = "qwen2", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
