#include <act/parallel.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/products/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace act::runtime {

void activate(activation function, std::span<float> x) noexcept {
  switch (function) {
    case activation::silu:
      return silu(x);
    case activation::relu:
      return relu(x);
    case activation::gelu:
      return gelu(x);
    case activation::gelu_tanh:
      return gelu_tanh(x);
  }
}

activation activation_named(std::string_view name) noexcept {
  if (name == "relu") return activation::relu;
  if (name == "gelu") return activation::gelu;
  return name == "gelu_tanh" ? activation::gelu_tanh : activation::silu;
}

void apply(const feed_forward& block, const const_matrix_ref& x, matrix_ref y, matrix& inner) {
  inner.resize(x.rows(), block.up.outputs());
  apply(block.up, x, inner, operation::up);
  const std::size_t width = block.down.inputs();
  // Rows in tasks of 32: elementwise work is a few percent of the products, but not of one thread's.
  constexpr std::size_t rows_per_task = 32;
  {
    const profile_scope scope(operation::activation);
    parallel_for((x.rows() + rows_per_task - 1) / rows_per_task, [&](std::size_t task) noexcept {
      const std::size_t first = task * rows_per_task;
      const std::size_t last = std::min(first + rows_per_task, x.rows());
      for (std::size_t row = first; row < last; ++row) {
        const std::span<float> front = inner.row(row).first(width);
        activate(block.function, front);
        if (block.gated) multiply(front, inner.row(row).last(width));
      }
    });
  }
  apply(block.down, inner.columns(0, width), y, operation::down);
}

}  // namespace act::runtime
