// The gradient through a feed-forward block.
#pragma once

#include <act/runtime/gradients/turned_linear.hpp>
#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/matrix.hpp>

namespace act::runtime {

/// A block's weights turned (turned_linear.hpp: their memory). `block` must outlive it.
class feed_forward_gradient {
 public:
  explicit feed_forward_gradient(const feed_forward& block)
      : block_(block), up_(block.up), down_(block.down) {}

  /// From the gradient with regard to feed_forward(x) to that with regard to x, in place. `gradient` is one
  /// block of x's rows under another, one for each number whose gradient it is: [k x.rows(), hidden]. Memory:
  /// for each row of either 2 inner numbers. Cost: the block's products with x and with `gradient`, less the
  /// first one's second.
  void pull_back(const const_matrix_ref& x, matrix_ref gradient) const;

 private:
  const feed_forward& block_;
  turned_linear up_, down_;
};

}  // namespace act::runtime
