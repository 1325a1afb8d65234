// As hf_settings.hpp, for the GPT family: GPT-2, GPT-NeoX (Pythia) and GPT-J.
#pragma once

#include <cstddef>
#include <string>

namespace act::runtime {

class hf_config;

struct hf_gpt_settings {
  std::size_t vocabulary, hidden, inner, layers, heads, head_size, context;
  double norm_epsilon;
  double rope_theta;  ///< without meaning where `rotary_dims` is 0
  std::size_t
      rotary_dims;  ///< the first numbers of each head that positions turn; 0: learned positions (GPT-2)
  bool tied_output;
  bool attention_bias;     ///< GPT-2: always; GPT-NeoX: a setting; GPT-J: never
  bool parallel_residual;  ///< attention and feed-forward read the same input (GPT-J: through one norm)
  std::string activation;  ///< as hf_config::activation_name
};

/// Precondition: `config.model_type()` is "gpt2". Throws `error` (invalid_input, unsupported).
[[nodiscard]] hf_gpt_settings read_hf_gpt2(const hf_config& config);

/// Precondition: `config.model_type()` is "gptj". Throws `error` (invalid_input, unsupported).
[[nodiscard]] hf_gpt_settings read_hf_gptj(const hf_config& config);

/// Precondition: `config.model_type()` is "gpt_neox". Throws `error` (invalid_input, unsupported).
[[nodiscard]] hf_gpt_settings read_hf_gpt_neox(const hf_config& config);

}  // namespace act::runtime
