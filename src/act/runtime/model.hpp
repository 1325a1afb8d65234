// A loaded decoder-only transformer: its configuration and its weights, the same structure for every
// architecture.
//
// architecture/ fills it from a file; forward.hpp runs it. What differs between Llama, OPT, GPT-2 ... is data
// here (which norm, which positions, which activation, which biases are present), never a second forward
// pass.
#pragma once

#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/norm.hpp>
#include <act/runtime/layers/rotary.hpp>
#include <act/runtime/output_matrix.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace act::runtime {

/// How a layer's two branches meet the residual stream x.
enum class residual_form {
  sequential,  ///< x += attention(x), then x += feed_forward(x)
  parallel,    ///< x += attention(x) + feed_forward(x) (GPT-J, GPT-NeoX)
  from_norm,   ///< sequential, but each branch is added to its own normalised input (a switch of BLOOM)
};

/// Which biases a checkpoint has.
enum class biases {
  as_stored,  ///< those that are there (GGUF files: their metadata doesn't say)
  required,
  none,
};

/// What may differ between the attention of one layer and the next.
struct layer_attention {
  float scale = 0;         ///< multiplies q . k; 0: 1 / sqrt(head_size)
  std::size_t window = 0;  ///< keys a query sees, its own included; 0: all
  std::size_t rotary = 0;  ///< which of `model_config::rotary`
};

/// Everything about a model that isn't a weight. Sizes are counted in numbers, not bytes.
struct model_config {
  std::string architecture;  ///< "llama", ...
  std::size_t layers = 0;
  std::size_t hidden = 0;    ///< width of the residual stream
  std::size_t heads = 0;     ///< query heads
  std::size_t kv_heads = 0;  ///< key and value heads; divides `heads`
  std::size_t head_size = 0;
  std::size_t inner = 0;  ///< width inside the feed-forward block
  std::size_t vocabulary = 0;
  std::size_t context = 0;           ///< longest sequence the model was made for
  std::string context_ends_by = {};  ///< why it is shorter than the file says, for messages; empty: it isn't
  std::size_t embedding =
      0;  ///< width of the vocabulary's rows; projected in and out where it isn't `hidden`
  float embedding_scale = 1.0F;  ///< multiplies the vocabulary's rows (Gemma)
  bool tied_output = false;      ///< the output matrix is the embedding, unless the checkpoint has one
  biases output_biases = biases::none;
  float output_soft_cap = 0;  ///< c > 0: logits become c tanh(logit / c) (Gemma 2)

  float norm_epsilon = 1e-5F;
  norm_kind norm_type = norm_kind::rms;
  bool norm_parameters = true;  ///< norms have weights (and biases, LayerNorm)
  residual_form residual = residual_form::sequential;

  bool learned_positions = false;
  std::size_t position_offset = 0;              ///< row of the position matrix that position 0 uses (OPT: 2)
  std::vector<rotary_options> rotary;           ///< empty: no rotary positions
  std::vector<float> slopes;                    ///< ALiBi, one a head; empty: none
  float attention_soft_cap = 0;                 ///< c > 0: scores become c tanh(score / c) (Gemma 2)
  std::vector<layer_attention> attention;       ///< of each layer; empty: all as by default
  biases attention_biases = biases::as_stored;  ///< queries, keys and values
  biases attention_output_biases = biases::as_stored;

  activation feed_forward_activation = activation::silu;
  bool gated_feed_forward = true;
  biases feed_forward_biases = biases::as_stored;

  /// Precondition: there is such a layer.
  [[nodiscard]] layer_attention attention_in(std::size_t layer) const noexcept {
    return attention.empty() ? layer_attention{} : attention[layer];
  }
};

/// Where one branch of a layer normalises. A missing norm changes nothing.
struct branch_norms {
  norm input;   ///< what the branch reads (nearly every model)
  norm output;  ///< what the branch adds (Gemma 2 and 3, OLMo 2)
  norm sum;     ///< the residual stream behind the addition (OPT-350m)
};

/// One decoder block.
struct decoder_layer {
  branch_norms attention_norms;
  linear query;             ///< [heads * head_size, hidden]
  linear key_value;         ///< [2 * kv_heads * head_size, hidden]: keys' rows, then values'
  norm query_norm;          ///< before positions: of each head (Qwen 3) or of all together (OLMo 2)
  norm key_norm;            ///< the same
  linear attention_output;  ///< [hidden, heads * head_size]
  branch_norms feed_forward_norms;
  feed_forward mlp;
};

/// A model ready to run. Its matrices stay as the file has them and are expanded where a product needs them
/// (products/); norms, biases and positions are float32.
struct model {
  model_config config;
  stored_matrix embedding;  ///< [vocabulary, embedding]
  norm embedding_norm;      ///< of the first layer's input (BLOOM)
  output_matrix output;     ///< [vocabulary, embedding]; the same rows as `embedding` when tied
  matrix positions;         ///< [offset + context, hidden]; empty without learned positions
  linear project_in;        ///< [hidden, embedding]; empty where the widths are the same
  linear project_out;       ///< [embedding, hidden]
  std::vector<decoder_layer> layers;
  norm final_norm;
  compute_type compute = compute_type::f32;  ///< of its products, as `load_model` was told
  std::shared_ptr<const void> file;          ///< keeps the mapped file of the matrices alive
};

/// Bytes of all matrices that layers multiply with, as they are stored; without the vocabulary's.
[[nodiscard]] std::uint64_t stored_bytes(const model& model) noexcept;

/// Throws `error` (invalid_input): logits of this model aren't finite numbers.
[[noreturn]] void refuse_logits(const model& model);

}  // namespace act::runtime
