// The gradient through plain causal attention.
#pragma once

#include <act/runtime/layers/attention.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <span>

namespace act::runtime {

/// What a layer's plain attention was computed from, and gave: all positions' rows, turned by their
/// positions.
struct attention_pass {
  attention_shape shape;
  std::span<const attention_sequence> sequences;  ///< whole texts: queries = keys, nothing past
  const_matrix_ref query;                         ///< [rows, heads head_size]
  const_matrix_ref key_value;                     ///< [rows, 2 kv_heads head_size], keys first
  const_matrix_ref out;                           ///< [rows, heads head_size]
};

/// From `of_out`, the gradient with regard to `out`, to those with regard to `query` and `key_value`. All
/// three are one block of rows under another, one for each number whose gradient they are: [k rows, ...] for
/// the same k; `of_query` and `of_key_value` are overwritten. Memory: 192 numbers a token of the longest text
/// for each thread; a text's map is never a whole. A result doesn't depend on the number of threads. Cost:
/// (1 + 4 k) products of the map's visible half with head_size columns.
void attention_gradient(const attention_pass& pass, const const_matrix_ref& of_out, matrix_ref of_query,
                        matrix_ref of_key_value);

}  // namespace act::runtime
