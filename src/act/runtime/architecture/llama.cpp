#include <act/error.hpp>
#include <act/runtime/architecture/llama.hpp>
#include <act/runtime/architecture/tensor_names.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/hf_settings.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::runtime {

model_config llama_config(const gguf_file& file) {
  const auto size = [&](const char* key) {
    const auto value = file.get<std::size_t>(key);
    if (value == 0 || value > (std::size_t{1} << 31)) {
      throw error(error_code::invalid_input, file.path(),
                  "metadata '" + std::string(key) + "' is " + std::to_string(value) + ", which no model has");
    }
    return value;
  };
  const auto refuse = [&](const char* key, const std::string& why) {
    throw error(error_code::unsupported, file.path(), "metadata '" + std::string(key) + "' " + why);
  };
  const auto require = [&](bool fits, const char* key, const std::string& why) {
    if (!fits)
      throw error(error_code::invalid_input, file.path(), "metadata '" + std::string(key) + "' " + why);
  };

  model_config config;
  config.architecture = "llama";
  config.layers = size("llama.block_count");
  config.hidden = size("llama.embedding_length");
  config.inner = size("llama.feed_forward_length");
  config.context = size("llama.context_length");
  config.heads = size("llama.attention.head_count");
  config.kv_heads =
      file.has("llama.attention.head_count_kv") ? size("llama.attention.head_count_kv") : config.heads;
  require(config.heads % config.kv_heads == 0, "llama.attention.head_count_kv",
          "doesn't divide the number of heads");
  if (file.has("llama.attention.key_length")) {
    config.head_size = size("llama.attention.key_length");
  } else {
    require(config.hidden % config.heads == 0, "llama.attention.head_count",
            "doesn't divide the embedding length");
    config.head_size = config.hidden / config.heads;
  }
  if (file.has("llama.attention.value_length") && size("llama.attention.value_length") != config.head_size) {
    refuse("llama.attention.value_length", "differs from the key length, which act doesn't support");
  }
  config.norm_type = norm_kind::rms;
  config.norm_epsilon = file.get<float>("llama.attention.layer_norm_rms_epsilon");
  require(config.norm_epsilon >= 0 && config.norm_epsilon < 1, "llama.attention.layer_norm_rms_epsilon",
          "isn't between 0 and 1");

  config.rotary.pairing = rotary_pairing::interleaved;
  config.rotary.dims =
      file.has("llama.rope.dimension_count") ? size("llama.rope.dimension_count") : config.head_size;
  require(config.rotary.dims <= config.head_size && config.rotary.dims % 2 == 0, "llama.rope.dimension_count",
          "isn't an even number up to the head size");
  config.rotary.theta = file.find<float>("llama.rope.freq_base").value_or(10000.0F);
  require(config.rotary.theta > 0 && config.rotary.theta < 1e12F, "llama.rope.freq_base",
          "isn't a positive number");
  const auto scaling = file.find<std::string_view>("llama.rope.scaling.type").value_or("none");
  if (scaling != "none")
    refuse("llama.rope.scaling.type", "is '" + std::string(scaling) + "'; act supports none");
  if (file.find_tensor("rope_freqs.weight") != nullptr) {
    throw error(error_code::unsupported, file.path() + ": tensor 'rope_freqs.weight'",
                "scales the rotary frequencies, which act doesn't support");
  }
  if (file.find<std::size_t>("llama.expert_count").value_or(0) != 0) {
    refuse("llama.expert_count", "says that this is a mixture of experts, which act doesn't support");
  }

  config.feed_forward_activation = activation::silu;
  config.gated_feed_forward = true;
  config.vocabulary = file.tensor("token_embd.weight").rows();
  config.embedding = config.hidden;
  config.tied_output = file.find_tensor("output.weight") == nullptr;
  return config;
}

model_config llama_config(const hf_config& file) {
  const hf_llama_settings settings = read_hf_llama(file);
  model_config config;
  config.architecture = "llama";
  config.layers = settings.layers;
  config.hidden = settings.hidden;
  config.embedding = settings.hidden;
  config.inner = settings.inner;
  config.context = settings.context;
  config.heads = settings.heads;
  config.kv_heads = settings.kv_heads;
  config.head_size = settings.head_size;
  config.vocabulary = settings.vocabulary;
  config.norm_type = norm_kind::rms;
  config.norm_epsilon = static_cast<float>(settings.norm_epsilon);
  config.rotary = {.pairing = rotary_pairing::halves,
                   .dims = settings.head_size,
                   .theta = static_cast<float>(settings.rope_theta)};
  config.feed_forward_activation = activation_named(settings.activation);
  config.gated_feed_forward = true;
  config.tied_output = settings.tied_output;
  config.attention_biases = settings.attention_bias ? biases::required : biases::none;
  config.feed_forward_biases = settings.feed_forward_bias ? biases::required : biases::none;
  return config;
}

tensor_names llama_tensor_names() {
  tensor_names names;
  names.embedding = "model.embed_tokens";
  names.output = "lm_head";
  names.final_norm = "model.norm";
  names.attention_norm = "model.layers.{}.input_layernorm";
  names.query = "model.layers.{}.self_attn.q_proj";
  names.key = "model.layers.{}.self_attn.k_proj";
  names.value = "model.layers.{}.self_attn.v_proj";
  names.attention_output = "model.layers.{}.self_attn.o_proj";
  names.feed_forward_norm = "model.layers.{}.post_attention_layernorm";
  names.gate = "model.layers.{}.mlp.gate_proj";
  names.up = "model.layers.{}.mlp.up_proj";
  names.down = "model.layers.{}.mlp.down_proj";
  return names;
}

}  // namespace act::runtime
