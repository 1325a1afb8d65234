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
#include <act/runtime/token_rows.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace act::runtime {

/// Where a block normalises.
enum class norm_place {
  before,  ///< the input of attention and of the feed-forward block (nearly every model)
  after,   ///< the sum of the residual stream and the block's output (OPT-350m)
};

/// Which biases a checkpoint has.
enum class biases {
  as_stored,  ///< those that are there (GGUF files: their metadata doesn't say)
  required,
  none,
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
  std::size_t context = 0;  ///< longest sequence the model was made for
  float norm_epsilon = 1e-5F;
  norm_kind norm_type = norm_kind::rms;
  norm_place norm_at = norm_place::before;
  bool norm_parameters = true;  ///< norms have weights (and biases, LayerNorm)
  bool final_norm = true;       ///< a norm before the output matrix
  biases attention_biases = biases::as_stored;
  biases feed_forward_biases = biases::as_stored;
  bool tied_output = false;  ///< the output matrix is the embedding
  std::size_t embedding =
      0;  ///< width of the vocabulary's rows; projected in and out where it isn't `hidden`
  bool learned_positions = false;
  std::size_t position_offset = 0;  ///< row of the position matrix that position 0 uses (OPT: 2)
  activation feed_forward_activation = activation::silu;
  bool gated_feed_forward = true;
  rotary_options rotary;  ///< dims = 0: no rotary embedding
};

/// One decoder block.
struct decoder_layer {
  norm attention_norm;
  linear query;             ///< [heads * head_size, hidden]
  linear key_value;         ///< [2 * kv_heads * head_size, hidden]: keys' rows, then values'
  linear attention_output;  ///< [hidden, heads * head_size]
  norm feed_forward_norm;
  feed_forward mlp;
};

/// A model ready to run. Holds its weights in float32, except the vocabulary's rows: those stay as the file
/// has them and are expanded when a token needs them (`token_rows`).
struct model {
  model_config config;
  token_rows embedding;  ///< [vocabulary, embedding]
  token_rows output;     ///< [vocabulary, embedding]; the same rows as `embedding` when tied
  matrix positions;      ///< [offset + context, hidden]; empty without learned positions
  linear project_in;     ///< [hidden, embedding]; empty where the widths are the same
  linear project_out;    ///< [embedding, hidden]
  std::vector<decoder_layer> layers;
  norm final_norm;
  std::shared_ptr<const void> file;  ///< keeps the mapped file of `embedding` and `output` alive
};

/// Throws `error` (invalid_input): logits of this model aren't finite numbers.
[[noreturn]] void refuse_logits(const model& model);

}  // namespace act::runtime
