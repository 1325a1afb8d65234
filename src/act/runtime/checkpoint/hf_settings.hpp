// What config.json says about each architecture act reads from Hugging Face folders, as plain numbers. Absent
// keys take the defaults of `transformers` 5; settings that no code here could honour are refused by name.
// For the architectures, which turn these into a model_config.
#pragma once

#include <cstddef>
#include <string>

namespace act::runtime {

class hf_config;

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

/// Precondition: `config.model_type()` is "llama". Throws `error` (invalid_input, unsupported).
[[nodiscard]] hf_llama_settings read_hf_llama(const hf_config& config);

/// Precondition: `config.model_type()` is "mistral". A window that is null means none; absent it is 4096.
[[nodiscard]] hf_llama_settings read_hf_mistral(const hf_config& config);

/// Precondition: `config.model_type()` is "opt". Throws `error` (invalid_input, unsupported).
[[nodiscard]] hf_opt_settings read_hf_opt(const hf_config& config);

}  // namespace act::runtime
