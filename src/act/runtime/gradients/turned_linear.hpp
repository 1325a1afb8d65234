// A dense layer's weights the other way round, for gradients: from the gradient with regard to its outputs to
// that with regard to its inputs.
#pragma once

#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>

namespace act::runtime {

/// W^T of y = x W^T + b, expanded to float32. Not copied, since its rows lie in itself. Memory: 4 bytes a
/// weight, for as long as it lives.
class turned_linear {
 public:
  /// Cost: one expansion of the weights. `layer` isn't needed afterwards; it may be missing (no outputs).
  explicit turned_linear(const linear& layer);
  turned_linear(const turned_linear&) = delete;
  turned_linear& operator=(const turned_linear&) = delete;

  [[nodiscard]] bool present() const noexcept { return turned_.size() != 0; }
  /// dx = dy W: dy is [rows, outputs], dx [rows, inputs]; they must not overlap. In float32 whatever the
  /// layer computes with. Memory, cost and what a result depends on: those of the product (product.hpp).
  void pull_back(const const_matrix_ref& dy, matrix_ref dx) const;

 private:
  matrix turned_;  // [inputs, outputs]
  stored_matrix rows_;
};

}  // namespace act::runtime
