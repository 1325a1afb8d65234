#include <act/error.hpp>
#include <act/runtime/checkpoint/hf_config.hpp>
#include <act/runtime/checkpoint/hf_gpt_settings.hpp>

#include <cmath>
#include <cstddef>
#include <string>

namespace act::runtime {
namespace {

// What GPT-2 and GPT-J share: the names of the sizes.
hf_gpt_settings read_hf_gpt_sizes(const hf_config& config, hf_gpt_settings s) {
  s.vocabulary = config.size_or("vocab_size", s.vocabulary);
  s.hidden = config.size_or("n_embd", s.hidden);
  s.layers = config.size_or("n_layer", s.layers);
  s.heads = config.size_or("n_head", s.heads);
  config.require_divides(s.heads, s.hidden, "n_head", "n_embd");
  s.head_size = s.hidden / s.heads;
  s.inner = config.size_or("n_inner", 4 * s.hidden);
  s.context = config.size_or("n_positions", s.context);
  s.norm_epsilon = config.get_or("layer_norm_epsilon", 1e-5);
  s.activation = config.activation_name("activation_function", "gelu_new");
  return s;
}

void require_rotary(const hf_config& config, std::size_t dims, std::size_t head_size, const char* key) {
  if (dims == 0 || dims % 2 != 0 || dims > head_size)
    throw error(error_code::invalid_input, config.path(),
                "'" + std::string(key) + "' turns " + std::to_string(dims) + " numbers of heads of " +
                    std::to_string(head_size) + "; an even part of a head is possible");
}

}  // namespace

hf_gpt_settings read_hf_gpt2(const hf_config& config) {
  hf_gpt_settings s{};
  s.vocabulary = 50257;
  s.hidden = 768;
  s.layers = s.heads = 12;
  s.context = 1024;
  s = read_hf_gpt_sizes(config, s);
  s.attention_bias = true;
  s.tied_output = config.get_or("tie_word_embeddings", true);
  if (!config.get_or("scale_attn_weights", true))
    config.refuse("scale_attn_weights", "is false, which act doesn't support");
  if (config.get_or("scale_attn_by_inverse_layer_idx", false))
    config.refuse("scale_attn_by_inverse_layer_idx", "is true, which act doesn't support");
  if (config.get_or("add_cross_attention", false))
    config.refuse("add_cross_attention", "is true, which act doesn't support");
  return s;
}

hf_gpt_settings read_hf_gptj(const hf_config& config) {
  hf_gpt_settings s{};
  s.vocabulary = 50400;
  s.hidden = 4096;
  s.layers = 28;
  s.heads = 16;
  s.context = 2048;
  s = read_hf_gpt_sizes(config, s);
  s.parallel_residual = true;
  s.tied_output = config.get_or("tie_word_embeddings", false);
  s.rope_theta = 10000.0;
  s.rotary_dims = config.is_null("rotary_dim") ? s.head_size : config.size_or("rotary_dim", 64);
  require_rotary(config, s.rotary_dims, s.head_size, "rotary_dim");
  return s;
}

hf_gpt_settings read_hf_gpt_neox(const hf_config& config) {
  hf_gpt_settings s{};
  s.vocabulary = config.size_or("vocab_size", 50432);
  s.hidden = config.size_or("hidden_size", 6144);
  s.layers = config.size_or("num_hidden_layers", 44);
  s.heads = config.size_or("num_attention_heads", 64);
  config.require_divides(s.heads, s.hidden, "num_attention_heads", "hidden_size");
  s.head_size = s.hidden / s.heads;
  s.inner = config.size_or("intermediate_size", 24576);
  s.context = config.size_or("max_position_embeddings", 2048);
  s.norm_epsilon = config.get_or("layer_norm_eps", 1e-5);
  s.activation = config.activation_name("hidden_act", "gelu");
  s.attention_bias = config.get_or("attention_bias", true);
  s.parallel_residual = config.get_or("use_parallel_residual", true);
  s.tied_output = config.get_or("tie_word_embeddings", false);
  const hf_config::rotary rope = config.rope("rotary_emb_base", "rotary_pct", 0.25);
  s.rope_theta = rope.theta;
  s.rotary_dims = static_cast<std::size_t>(std::floor(static_cast<double>(s.head_size) * rope.fraction));
  require_rotary(config, s.rotary_dims, s.head_size, "rotary_pct");
  return s;
}

}  // namespace act::runtime
