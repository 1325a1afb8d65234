#include <act/runtime/checkpoint/hf_config.hpp>
#include <act/runtime/checkpoint/hf_settings.hpp>

#include <cstddef>

namespace act::runtime {
namespace {

// What Llama and Mistral share; they differ in defaults.
hf_llama_settings read_hf_llama_family(const hf_config& config, std::size_t inner, std::size_t context,
                                       std::size_t kv_heads) {
  hf_llama_settings s{};
  s.vocabulary = config.size_or("vocab_size", 32000);
  s.hidden = config.size_or("hidden_size", 4096);
  s.inner = config.size_or("intermediate_size", inner);
  s.layers = config.size_or("num_hidden_layers", 32);
  s.heads = config.size_or("num_attention_heads", 32);
  s.kv_heads = config.size_or("num_key_value_heads", kv_heads != 0 ? kv_heads : s.heads);
  config.require_divides(s.kv_heads, s.heads, "num_key_value_heads", "num_attention_heads");
  if (!config.find<std::size_t>("head_dim"))
    config.require_divides(s.heads, s.hidden, "num_attention_heads", "hidden_size");
  s.head_size = config.size_or("head_dim", s.hidden / s.heads);
  if (s.head_size % 2 != 0) config.refuse("head_dim", "is odd, which rotary positions can't have");
  s.context = config.size_or("max_position_embeddings", context);
  s.norm_epsilon = config.get_or("rms_norm_eps", 1e-6);
  s.rope_theta = config.rope_theta();
  s.tied_output = config.get_or("tie_word_embeddings", false);
  s.activation = config.activation_name("hidden_act", "silu");
  return s;
}

}  // namespace

hf_llama_settings read_hf_llama(const hf_config& config) {
  hf_llama_settings s = read_hf_llama_family(config, 11008, 2048, 0);
  s.attention_bias = config.get_or("attention_bias", false);
  s.feed_forward_bias = config.get_or("mlp_bias", false);
  return s;
}

hf_llama_settings read_hf_mistral(const hf_config& config) {
  const std::size_t kv_heads = config.is_null("num_key_value_heads") ? 0 : 8;
  hf_llama_settings s = read_hf_llama_family(config, 14336, std::size_t{4096} * 32, kv_heads);
  s.window = config.is_null("sliding_window") ? 0 : config.size_or("sliding_window", 4096);
  return s;
}

hf_opt_settings read_hf_opt(const hf_config& config) {
  hf_opt_settings s{};
  s.vocabulary = config.size_or("vocab_size", 50272);
  s.hidden = config.size_or("hidden_size", 768);
  s.inner = config.size_or("ffn_dim", 3072);
  s.layers = config.size_or("num_hidden_layers", 12);
  s.heads = config.size_or("num_attention_heads", 12);
  config.require_divides(s.heads, s.hidden, "num_attention_heads", "hidden_size");
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
