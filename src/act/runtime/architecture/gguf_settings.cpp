#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/architecture/architecture.hpp>
#include <act/runtime/architecture/gguf_settings.hpp>
#include <act/runtime/architecture/rotary_scaling.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// The numbers of a tensor that divides frequencies, one a rotary pair.
std::vector<float> frequency_factors(const gguf_file& file, const tensor_view& tensor, std::size_t pairs) {
  const auto fail = [&](const std::string& why) {
    throw error(error_code::invalid_input, file.path() + ": tensor '" + std::string(tensor.name) + "'", why);
  };
  if (tensor.shape != std::vector<std::size_t>{pairs})
    fail("doesn't hold " + std::to_string(pairs) + " numbers, one a rotary pair; convert the model again");
  std::vector<float> factors(pairs);
  dequantize_rows(tensor, 0, factors);
  for (const float each : factors) {
    if (!(std::isfinite(each) && each > 0))
      fail("holds a number that isn't positive; the file is damaged, fetch it again");
  }
  return factors;
}

}  // namespace

gguf_settings::gguf_settings(const gguf_file& file, std::string_view architecture)
    : file_(&file), prefix_(std::string(architecture) + ".") {}

std::string gguf_settings::named(std::string_view key) const {
  return prefix_ + std::string(key);
}

std::size_t gguf_settings::size(std::string_view key) const {
  const auto value = file_->get<std::size_t>(named(key));
  if (value == 0 || value > (std::size_t{1} << 31))
    fail(key, "is " + std::to_string(value) + ", which no model has");
  return value;
}

std::size_t gguf_settings::size_or(std::string_view key, std::size_t absent) const {
  return file_->has(named(key)) ? size(key) : absent;
}

std::size_t gguf_settings::count_or(std::string_view key, std::size_t absent) const {
  return file_->find<std::size_t>(named(key)).value_or(absent) == 0 ? 0 : size_or(key, absent);
}

std::optional<float> gguf_settings::positive(std::string_view key) const {
  const auto value = file_->find<float>(named(key));
  if (value && !(std::isfinite(*value) && *value > 0 && *value < 1e12F)) fail(key, "isn't a positive number");
  return value;
}

bool gguf_settings::flag_or(std::string_view key, bool absent) const {
  return file_->find<bool>(named(key)).value_or(absent);
}

std::string gguf_settings::text_or(std::string_view key, std::string_view absent) const {
  return std::string(file_->find<std::string_view>(named(key)).value_or(absent));
}

void gguf_settings::refuse(std::string_view key, const std::string& why) const {
  throw error(error_code::unsupported, file_->path(), "metadata '" + named(key) + "' " + why);
}

void gguf_settings::fail(std::string_view key, const std::string& why) const {
  throw error(error_code::invalid_input, file_->path(), "metadata '" + named(key) + "' " + why);
}

model_config read_sizes(const gguf_settings& from, const char* architecture, norm_kind norms) {
  const gguf_file& file = from.file();
  model_config config;
  config.architecture = architecture;
  config.layers = from.size("block_count");
  config.hidden = from.size("embedding_length");
  config.embedding = config.hidden;
  config.inner = from.size("feed_forward_length");
  config.context = from.size("context_length");
  config.heads = from.size("attention.head_count");
  config.kv_heads = from.size_or("attention.head_count_kv", config.heads);
  if (config.heads % config.kv_heads != 0)
    from.fail("attention.head_count_kv", "doesn't divide the number of heads");
  config.head_size = from.size_or("attention.key_length", 0);
  if (config.head_size == 0) {
    if (config.hidden % config.heads != 0)
      from.fail("attention.head_count", "doesn't divide the embedding length");
    config.head_size = config.hidden / config.heads;
  }
  if (from.size_or("attention.value_length", config.head_size) != config.head_size)
    from.refuse("attention.value_length", "differs from the key length, which act doesn't support");
  const auto limit = [&](std::size_t size, std::size_t most, const char* key) {
    if (size > most) from.fail(key, "is " + std::to_string(size) + ", which no model has");
  };
  limit(config.layers, most_layers, "block_count");
  limit(config.heads, most_heads, "attention.head_count");
  limit(config.head_size, largest_head, "attention.key_length");
  config.norm_type = norms;
  const char* const key =
      norms == norm_kind::rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  config.norm_epsilon = file.get<float>(std::string(architecture) + "." + key);
  if (!(config.norm_epsilon >= 0 && config.norm_epsilon < 1)) from.fail(key, "isn't between 0 and 1");
  config.feed_forward_activation = activation::silu;
  config.gated_feed_forward = true;
  config.vocabulary = file.tensor("token_embd.weight").rows();
  config.tied_output = file.find_tensor("output.weight") == nullptr;

  // Other families' settings: each changes what a model computes.
  if (file.find<std::size_t>(std::string(architecture) + ".expert_count").value_or(0) != 0)
    from.refuse("expert_count", "says that this is a mixture of experts, which act doesn't support");
  for (const char* other : {"logit_scale", "residual_scale", "embedding_scale", "attention.scale",
                            "attention.clamp_kqv", "attention.max_alibi_bias", "rope.dimension_sections"}) {
    if (file.has(std::string(architecture) + "." + other))
      from.refuse(other, "is a setting that act doesn't have for this architecture");
  }
  if (!from.flag_or("attention.causal", true))
    from.refuse("attention.causal", "is false: tokens see later ones, which act doesn't support");
  return config;
}

void add_rotary(const gguf_settings& from, rotary_pairing pairing, model_config& config, float theta_absent) {
  rotary_options made;
  made.pairing = pairing;
  made.dims = from.size_or("rope.dimension_count", config.head_size);
  if (made.dims > config.head_size || made.dims % 2 != 0)
    from.fail("rope.dimension_count", "isn't an even number up to the head size");
  made.theta = from.positive("rope.freq_base").value_or(theta_absent);

  const std::string type = from.text_or("rope.scaling.type", "linear");
  std::optional<float> factor = from.positive("rope.scaling.factor");
  if (!factor) factor = from.positive("rope.scale_linear");
  const auto trained =
      static_cast<double>(from.size_or("rope.scaling.original_context_length", config.context));
  const gguf_file& file = from.file();
  const std::size_t pairs = made.dims / 2;
  std::vector<float> frequencies = rotary_frequencies(made.theta, made.dims);
  bool scaled = false;
  if (const tensor_view* factors = file.find_tensor("rope_freqs.weight")) {
    scale_each(frequencies, frequency_factors(file, *factors, pairs));
    scaled = true;
  }
  const tensor_view* const short_factors = file.find_tensor("rope_factors_short.weight");
  if (type == "longrope" || short_factors != nullptr) {
    if (short_factors == nullptr)
      from.fail("rope.scaling.type", "is 'longrope', but there is no tensor 'rope_factors_short.weight'");
    scale_each(frequencies, frequency_factors(file, *short_factors, pairs));
    scaled = true;
    made.magnitude = from.positive("rope.scaling.attn_factor").value_or(1.0F);
    keep_to_short_factors(trained, config);
  } else if (type == "linear") {
    if (factor) scale_linear(frequencies, static_cast<double>(*factor));
    scaled = scaled || factor.has_value();
  } else if (type == "yarn") {
    const yarn_scaling by{
        .factor = static_cast<double>(factor.value_or(1.0F)),
        .original_context = trained,
        .beta_fast = static_cast<double>(from.positive("rope.scaling.yarn_beta_fast").value_or(32)),
        .beta_slow = static_cast<double>(from.positive("rope.scaling.yarn_beta_slow").value_or(1)),
        .truncate = true};
    for (const char* other : {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier"}) {
      if (from.positive(other)) from.refuse(other, "is a setting that act doesn't have");
    }
    if (!(made.theta > 1)) from.fail("rope.freq_base", "is at most 1, which yarn can't stretch");
    scale_yarn(frequencies, made.theta, by);
    scaled = true;
    made.magnitude = static_cast<float>(yarn_magnitude(by.factor)) *
                     from.positive("rope.scaling.attn_factor").value_or(1.0F) *
                     from.positive("rope.scaling.yarn_attn_factor").value_or(1.0F);
  } else if (type != "none") {
    from.refuse("rope.scaling.type",
                "is '" + io::printable(type) + "'; act has none, linear, yarn and longrope");
  }
  if (scaled) made.frequencies = std::move(frequencies);
  config.rotary.push_back(std::move(made));
}

}  // namespace act::runtime
