// What config.json says about a model's sizes and positions, for the families: each has its keys and defaults
// as data, here is what all of them do with it. Absent keys take the defaults of `transformers` 5.
#pragma once

#include <act/runtime/checkpoint/hf_config.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <vector>

namespace act::runtime {

/// A size in config.json.
struct size_key {
  const char* key = nullptr;    ///< nullptr: the family has no such setting
  std::size_t absent = 0;       ///< what an absent key means; 0: see folder_keys
  const char* other = nullptr;  ///< another name for the same; where both are there they have to agree
};

/// The keys of a family. Those given are the ones most families have.
struct folder_keys {
  size_key vocabulary{"vocab_size", 32000};
  size_key hidden{"hidden_size", 4096};
  size_key inner{"intermediate_size", 11008};  ///< 0: four times `hidden`
  size_key layers{"num_hidden_layers", 32};
  size_key heads{"num_attention_heads", 32};
  size_key kv_heads{"num_key_value_heads", 0};  ///< 0, and null: as many as `heads`
  size_key head_size{"head_dim", 0};            ///< 0, and null: hidden / heads
  size_key context{"max_position_embeddings", 2048};
  const char* norm_epsilon = "rms_norm_eps";
  double norm_epsilon_absent = 1e-6;
  norm_kind norm_type = norm_kind::rms;
  const char* activation = "hidden_act";
  const char* activation_absent = "silu";
  bool gated = true;
  bool tied_absent = false;  ///< `tie_word_embeddings`
};

/// Sizes, norms and activation; biases none. Throws `error` (invalid_input, unsupported).
[[nodiscard]] model_config read_sizes(const hf_config& file, const char* architecture,
                                      const folder_keys& keys);

/// `required` for a flag that is true, else `none`.
[[nodiscard]] biases biases_if(bool present) noexcept;

/// Where a family says how positions turn heads.
struct rotary_keys {
  const char* theta = "rope_theta";  ///< beside `rope_parameters` or `rope_scaling`, in older files
  double theta_absent = 10000.0;
  const char* fraction = "partial_rotary_factor";
  double fraction_absent = 1.0;
  /// With layers of two kinds: which member of `rope_parameters` is read; nullptr: there is one for all.
  const char* layer_type = nullptr;
  bool scaled = true;                       ///< older files' `rope_scaling` is about this kind of layer
  std::size_t original_context_absent = 0;  ///< `original_max_position_embeddings`; 0: the context
  bool yarn_is_longrope = false;            ///< "su" and "yarn" are older names of longrope (Phi-3)
};

/// Adds a rotary embedding to `config`, which has its sizes. Scaling: default, linear, dynamic, llama3, yarn
/// and longrope. Dynamic scaling begins where the context ends, which is where act ends too. Of longrope the
/// short factors are read and `config.context` becomes the length that they are for: longer texts turn by
/// others, so act refuses them as longer than the context. Throws `error`: unsupported for other scaling,
/// invalid_input for a missing or impossible number.
void add_rotary(const hf_config& file, const rotary_keys& keys, model_config& config);

/// `sliding_window`: keys a query sees; 0, for none, where it is null. Throws `error` (invalid_input).
[[nodiscard]] std::size_t window_of(const hf_config& file, std::size_t absent);

/// Gives every layer what `sliding` says if it slides, otherwise what `full` says. A layer slides where
/// `layer_types` says "sliding_attention", or, without that key, where `slides[layer]` is true. Throws
/// `error` (invalid_input, unsupported).
void set_layer_types(const hf_config& file, const std::vector<bool>& slides, const layer_attention& sliding,
                     const layer_attention& full, model_config& config);

}  // namespace act::runtime
