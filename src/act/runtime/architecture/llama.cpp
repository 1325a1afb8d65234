// Llama 1, 2 and 3, Vicuna, and what was built like them: RMSNorm, rotary positions, grouped keys and values,
// a gated feed-forward block.
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>

namespace act::runtime {
namespace {

model_description from_folder(const hf_config& file) {
  model_description made{.config = read_sizes(file, "llama", {}), .tensors = folder_layout()};
  add_rotary(file, {}, made.config);
  made.config.attention_biases = biases_if(file.get_or("attention_bias", false));
  made.config.attention_output_biases = made.config.attention_biases;
  made.config.feed_forward_biases = biases_if(file.get_or("mlp_bias", false));
  return made;
}

// Converters permute the rows of Q and K so that rotary pairs lie side by side. Scores don't change by that
// as long as both are turned as interleaved pairs, so the rows stay as they are.
model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "llama");
  model_description made{.config = read_sizes(settings, "llama", norm_kind::rms), .tensors = gguf_layout()};
  add_rotary(settings, rotary_pairing::interleaved, made.config);
  if (const std::size_t window = settings.count_or("attention.sliding_window", 0);
      window != 0 && window < made.config.context) {
    settings.refuse("attention.sliding_window",
                    "is a window that llama.cpp doesn't apply to this architecture; "
                    "convert the model again, or use the folder it came from");
  }
  return made;
}

}  // namespace

constinit const architecture llama{
    .model_type = "llama", .gguf_name = "llama", .from_folder = from_folder, .from_gguf = from_gguf};

}  // namespace act::runtime
