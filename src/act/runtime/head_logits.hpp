// What single heads say of a few words: their part of the residual stream at a prompt's last position, taken
// straight to the output matrix (the "logit lens" of one head).
//
// For UniBias's choice of heads (search/unibias.hpp).
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace act::runtime {

/// What one layer's heads, and what the layer reads, say of each word.
struct layer_head_logits {
  std::vector<std::vector<double>> input;  ///< [prompt][word]: the residual stream that the layer reads
  std::vector<std::vector<double>> heads;  ///< [prompt * heads + head][word]: what the head adds to it
};

/// Runs `prompts` plain up to layer `end` and gives each of layers [first, end). A number is the product of
/// the word's row of the output matrix and the head's output after its columns of the attention's output
/// matrix; the final norm, biases and a soft cap are left out, and a projection to the vocabulary's width is
/// its matrix. Where a model normalises what attention adds (Gemma 2 and 3, OLMo 2), a head's part of that is
/// its output times the scale that the sum of all heads gets, so that the parts add up to what is added.
/// Throws `error` (invalid_input) for a number that isn't finite. Preconditions: first <= end <= layers,
/// words in the vocabulary. Cost: the pass, and 2 prompts heads hidden (heads head_size + words) flops a
/// layer.
[[nodiscard]] std::vector<layer_head_logits> head_logits(const model& model, const packed_prompts& prompts,
                                                         std::size_t first, std::size_t end,
                                                         std::span<const token_id> words);

}  // namespace act::runtime
