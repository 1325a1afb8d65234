// What config.json says about each architecture act reads from Hugging Face folders, as plain numbers. Absent
// keys take the defaults of `transformers` 5; settings that no code here could honour are refused by name.
// For the architectures, which turn these into a model_config.
#pragma once

#include <act/error.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>

#include <cstddef>
#include <string>

namespace act::runtime {

/// Llama (`LlamaConfig`) and Mistral (`MistralConfig`).
struct hf_llama_settings {
  std::size_t vocabulary, hidden, inner, layers, heads, kv_heads, head_size, context;
  double norm_epsilon, rope_theta;
  bool tied_output;        ///< the output matrix is the embedding
  bool attention_bias;     ///< q, k, v and o have one
  bool feed_forward_bias;  ///< gate, up and down have one
  std::string activation;  ///< as hf_config::activation_name
  std::size_t window;      ///< Mistral's sliding window: keys a query sees, itself included; 0 = all
};

/// OPT (`OPTConfig`).
struct hf_opt_settings {
  std::size_t vocabulary, hidden, inner, layers, heads, head_size, context;
  std::size_t embedding;  ///< `word_embed_proj_dim`: width of the embedding, projected in and out where it
                          ///< isn't `hidden`
  bool tied_output;
  bool norm_first;         ///< `do_layer_norm_before`
  bool final_norm;         ///< present with norm_first unless `_remove_final_layer_norm`
  bool biases;             ///< `enable_bias`
  bool norm_parameters;    ///< `layer_norm_elementwise_affine`
  std::string activation;  ///< as hf_config::activation_name
};

namespace detail {

inline void require_divides(const hf_config& config, std::size_t part, std::size_t whole, const char* key,
                            const char* of) {
  if (whole % part != 0)
    throw error(error_code::invalid_input, config.path(),
                "'" + std::string(key) + "' is " + std::to_string(part) + ", which doesn't divide " + of +
                    " " + std::to_string(whole));
}

/// What Llama and Mistral share; they differ in defaults.
[[nodiscard]] inline hf_llama_settings read_hf_llama_family(const hf_config& config, std::size_t inner,
                                                            std::size_t context, std::size_t kv_heads) {
  hf_llama_settings s{};
  s.vocabulary = config.size_or("vocab_size", 32000);
  s.hidden = config.size_or("hidden_size", 4096);
  s.inner = config.size_or("intermediate_size", inner);
  s.layers = config.size_or("num_hidden_layers", 32);
  s.heads = config.size_or("num_attention_heads", 32);
  s.kv_heads = config.size_or("num_key_value_heads", kv_heads != 0 ? kv_heads : s.heads);
  require_divides(config, s.kv_heads, s.heads, "num_key_value_heads", "num_attention_heads");
  if (!config.find<std::size_t>("head_dim"))
    require_divides(config, s.heads, s.hidden, "num_attention_heads", "hidden_size");
  s.head_size = config.size_or("head_dim", s.hidden / s.heads);
  if (s.head_size % 2 != 0) config.refuse("head_dim", "is odd, which rotary positions can't have");
  s.context = config.size_or("max_position_embeddings", context);
  s.norm_epsilon = config.get_or("rms_norm_eps", 1e-6);
  s.rope_theta = config.rope_theta();
  s.tied_output = config.get_or("tie_word_embeddings", false);
  s.activation = config.activation_name("hidden_act", "silu");
  return s;
}

}  // namespace detail

/// Precondition: `config.model_type()` is "llama". Throws `error` (invalid_input, unsupported).
[[nodiscard]] inline hf_llama_settings read_hf_llama(const hf_config& config) {
  hf_llama_settings s = detail::read_hf_llama_family(config, 11008, 2048, 0);
  s.attention_bias = config.get_or("attention_bias", false);
  s.feed_forward_bias = config.get_or("mlp_bias", false);
  return s;
}

/// Precondition: `config.model_type()` is "mistral". A window that is null means none; absent it is 4096.
[[nodiscard]] inline hf_llama_settings read_hf_mistral(const hf_config& config) {
  const std::size_t kv_heads = config.is_null("num_key_value_heads") ? 0 : 8;
  hf_llama_settings s = detail::read_hf_llama_family(config, 14336, std::size_t{4096} * 32, kv_heads);
  s.window = config.is_null("sliding_window") ? 0 : config.size_or("sliding_window", 4096);
  return s;
}

/// Precondition: `config.model_type()` is "opt". Throws `error` (invalid_input, unsupported).
[[nodiscard]] inline hf_opt_settings read_hf_opt(const hf_config& config) {
  hf_opt_settings s{};
  s.vocabulary = config.size_or("vocab_size", 50272);
  s.hidden = config.size_or("hidden_size", 768);
  s.inner = config.size_or("ffn_dim", 3072);
  s.layers = config.size_or("num_hidden_layers", 12);
  s.heads = config.size_or("num_attention_heads", 12);
  detail::require_divides(config, s.heads, s.hidden, "num_attention_heads", "hidden_size");
  s.head_size = s.hidden / s.heads;
  s.context = config.size_or("max_position_embeddings", 2048);
  s.embedding = config.size_or("word_embed_proj_dim", s.hidden);
  s.tied_output = config.get_or("tie_word_embeddings", true);
  s.norm_first = config.get_or("do_layer_norm_before", true);
  s.final_norm = s.norm_first && !config.get_or("_remove_final_layer_norm", false);
  s.biases = config.get_or("enable_bias", true);
  s.norm_parameters = config.get_or("layer_norm_elementwise_affine", true);
  s.activation = config.activation_name("activation_function", "relu");
  return s;
}

}  // namespace act::runtime
