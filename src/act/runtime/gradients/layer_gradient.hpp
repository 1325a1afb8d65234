// The gradient through one layer, for every architecture: what forward.hpp's run_layer is, backwards.
//
// A layer is run again from its input, so nothing but layers' inputs has to be kept of the forward pass.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/runtime/gradients/feed_forward_gradient.hpp>
#include <act/runtime/gradients/turned_linear.hpp>
#include <act/runtime/model.hpp>

#include <cstddef>

namespace act::runtime {

/// One layer's weights turned. Memory: 4 bytes a weight of the layer.
class layer_gradient {
 public:
  /// `model` must outlive it. Precondition: it has a layer of this number. Cost: an expansion of its weights.
  layer_gradient(const model& model, std::size_t number);

  /// From the gradient with regard to the layer's output to that with regard to its input, in place, and
  /// `of_heads`, that with regard to its heads' outputs (layer_buffers::attention, before the output matrix).
  /// `input`, [rows, hidden], is the layer's; `rows` are whole texts, nothing past, all rows wanted, and
  /// nothing is calibrated. `gradient` is one block of rows under another, one for each number whose gradient
  /// it is: [k rows, hidden]; `of_heads` becomes [k rows, heads head_size]. Memory: about the forward pass's
  /// of (1 + k) rows. Cost: that of the layer for (1 + k) rows. A result doesn't depend on the number of
  /// threads, nor on which other texts there are beyond rounding.
  void pull_back(const layer_rows& rows, const const_matrix_ref& input, matrix& gradient,
                 matrix& of_heads) const;

  /// `of_heads` alone; `gradient` is left with something in between. Cost: about two thirds.
  void pull_back_to_heads(const layer_rows& rows, const const_matrix_ref& input, matrix& gradient,
                          matrix& of_heads) const;

 private:
  struct forward_pass;

  [[nodiscard]] forward_pass run(const layer_rows& rows, const const_matrix_ref& input) const;
  // From the gradient with regard to the output to the one with regard to the residual stream behind
  // attention, and `of_heads`. Where the branches are parallel, the feed-forward block's part isn't in it.
  void behind_attention(const forward_pass& forward, matrix& gradient, matrix& of_heads) const;
  void before_attention(const layer_rows& rows, const forward_pass& forward, const const_matrix_ref& of_heads,
                        matrix& gradient) const;

  const model& model_;
  const decoder_layer& layer_;
  std::size_t number_;
  turned_linear query_, key_value_, attention_output_;
  feed_forward_gradient feed_forward_;
};

}  // namespace act::runtime
