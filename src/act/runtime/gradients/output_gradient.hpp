// Gradients of what a model says at a row, with regard to the residual stream there: where going backwards
// begins.
#pragma once

#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/model.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <span>

namespace act::runtime {

/// Row r: of the logit of tokens[r] at row r. `last_rows` is the last layer's output there, [rows, hidden].
/// Preconditions: as many tokens as rows, all in the vocabulary. Cost: a row of the vocabulary each, and the
/// projection to the vocabulary's width turned, where the model has one.
[[nodiscard]] matrix logit_gradients(const model& model, const matrix& last_rows,
                                     std::span<const token_id> tokens);

/// Row r: of log p(tokens[r]) at row r over the whole vocabulary. Memory: a block's logits
/// (output_matrix::logits_in_blocks) and expanded rows. Cost: two products of the rows with the vocabulary.
[[nodiscard]] matrix log_probability_gradients(const model& model, const matrix& last_rows,
                                               std::span<const token_id> tokens);

}  // namespace act::runtime
