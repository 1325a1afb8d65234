// Gemma 3: five layers with a window, then one that sees everything, each kind with a rotary base of its own;
// norms over queries and keys. Of the models that see images the text model alone is read.
#include <act/error.hpp>
#include <act/runtime/architecture/families.hpp>
#include <act/runtime/architecture/folder_settings.hpp>
#include <act/runtime/architecture/gemma.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace act::runtime {
namespace {

// Which of model_config::rotary.
constexpr std::size_t global_base = 0, local_base = 1;

model_description text_from_folder(const hf_config& file) {
  model_description made = gemma_from_folder(file, "gemma3", gemma_keys(262208, 131072));
  model_config& config = made.config;
  add_rotary(file, {.theta_absent = 1e6, .layer_type = "full_attention"}, config);
  add_rotary(file, {.theta = "rope_local_base_freq", .layer_type = "sliding_attention", .scaled = false},
             config);
  if (file.find<double>("attn_logit_softcapping"))
    file.refuse("attn_logit_softcapping",
                "is a cap that transformers doesn't apply to Gemma 3; set it to null");
  if (file.find<double>("final_logit_softcapping"))
    config.output_soft_cap = static_cast<float>(file.positive("final_logit_softcapping"));
  const float scale = 1.0F / std::sqrt(static_cast<float>(file.positive_or("query_pre_attn_scalar", 256)));
  const std::size_t period = file.size_or("sliding_window_pattern", 6);
  std::vector<bool> slides;
  for (std::size_t layer = 0; layer < config.layers; ++layer)
    slides.push_back((layer + 1) % period != 0);
  set_layer_types(file, slides, {.scale = scale, .window = window_of(file, 4096), .rotary = local_base},
                  {.scale = scale, .rotary = global_base}, config);
  made.tensors.query_norm = "model.layers.{}.self_attn.q_norm";
  made.tensors.key_norm = "model.layers.{}.self_attn.k_norm";
  return made;
}

model_description from_folder(const hf_config& file) {
  const std::optional<hf_config> text = file.section("text_config");
  if (!text) file.fail("text_config", "is missing");
  model_description made = text_from_folder(*text);
  made.tensors.other_beginnings = {{"model.", "language_model.model."},
                                   {"model.", "model.language_model."},
                                   {"lm_head", "language_model.lm_head"}};
  return made;
}

model_description from_gguf(const gguf_file& file) {
  const gguf_settings settings(file, "gemma3");
  model_description made = gemma_from_gguf(settings, "gemma3");
  model_config& config = made.config;
  add_rotary(settings, rotary_pairing::halves, config, 1e6F);
  rotary_options local = config.rotary[global_base];
  local.theta = settings.positive("rope.freq_base_swa").value_or(10000.0F);
  local.frequencies.clear();
  local.magnitude = 1;
  config.rotary.push_back(local);
  if (const auto cap = settings.positive("final_logit_softcapping")) config.output_soft_cap = *cap;
  const float scale = gemma_gguf_scale(config, 62);
  const std::size_t window = settings.count_or("attention.sliding_window", 0);
  const std::size_t period = settings.size_or("attention.sliding_window_pattern", 6);
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const bool slides = window != 0 && (layer + 1) % period != 0;
    config.attention.push_back(
        {.scale = scale, .window = slides ? window : 0, .rotary = slides ? local_base : global_base});
  }
  made.tensors.query_norm = "blk.{}.attn_q_norm";
  made.tensors.key_norm = "blk.{}.attn_k_norm";
  return made;
}

}  // namespace

constinit const architecture gemma3_text{.model_type = "gemma3_text",
                                         .gguf_name = "gemma3",
                                         .from_folder = text_from_folder,
                                         .from_gguf = from_gguf};

constinit const architecture gemma3{
    .model_type = "gemma3", .gguf_name = "", .from_folder = from_folder, .from_gguf = nullptr};

}  // namespace act::runtime
