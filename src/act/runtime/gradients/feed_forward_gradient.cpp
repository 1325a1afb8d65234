#include <act/parallel.hpp>
#include <act/runtime/gradients/feed_forward_gradient.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::runtime {
namespace {

void slope(activation function, std::span<float> x) noexcept {
  switch (function) {
    case activation::silu:
      return silu_slope(x);
    case activation::relu:
      return relu_slope(x);
    case activation::gelu:
      return gelu_slope(x);
    case activation::gelu_tanh:
      return gelu_tanh_slope(x);
  }
}

}  // namespace

void feed_forward_gradient::pull_back(const const_matrix_ref& x, matrix_ref gradient) const {
  const std::size_t width = block_.down.inputs(), rows = x.rows();
  // Before the activation: of gated blocks the gate's numbers, then the others.
  matrix inner(rows, block_.up.outputs());
  apply(block_.up, x, inner);
  matrix of_inner(gradient.rows(), block_.up.outputs());
  down_.pull_back(gradient, of_inner.columns(0, width));
  matrix activated(block_.gated ? rows : 0, width);
  // Rows in tasks of 32, as feed_forward.cpp has them.
  constexpr std::size_t rows_per_task = 32;
  parallel_for((rows + rows_per_task - 1) / rows_per_task, [&](std::size_t task) noexcept {
    const std::size_t end = std::min((task + 1) * rows_per_task, rows);
    for (std::size_t row = task * rows_per_task; row < end; ++row) {
      const std::span<float> front = inner.row(row).first(width);
      if (block_.gated) {
        const std::span<float> gate = activated.row(row);
        std::copy(front.begin(), front.end(), gate.begin());
        activate(block_.function, gate);
      }
      slope(block_.function, front);
      if (block_.gated) multiply(front, inner.row(row).last(width));
      for (std::size_t at = row; at < gradient.rows(); at += rows) {
        const std::span<float> g = of_inner.row(at).first(width);
        if (block_.gated) {
          const std::span<float> of_other = of_inner.row(at).last(width);
          std::copy(g.begin(), g.end(), of_other.begin());
          multiply(of_other, activated.row(row));
        }
        multiply(g, front);
      }
    }
  });
  up_.pull_back(of_inner, gradient);
}

}  // namespace act::runtime
