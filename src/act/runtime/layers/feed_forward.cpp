#include <act/parallel.hpp>
#include <act/runtime/layers/feed_forward.hpp>
#include <act/runtime/layers/linear.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string_view>

namespace act::runtime {
namespace {

template <class Values>
void activate(activation function, Values&& x) {
  switch (function) {
    case activation::silu:
      x /= (-x).exp() + 1.0F;
      break;
    case activation::relu:
      x = x.max(0.0F);
      break;
    case activation::gelu:
      x = x.unaryExpr([](float v) {
        return 0.5F * v * (1.0F + std::erf(v * static_cast<float>(1.0 / std::numbers::sqrt2)));
      });
      break;
    case activation::gelu_tanh: {
      constexpr float c = 0.7978845608028654F;  // sqrt(2 / pi)
      x = 0.5F * x * (1.0F + (c * (x + 0.044715F * x.cube())).tanh());
      break;
    }
  }
}

}  // namespace

activation activation_named(std::string_view name) noexcept {
  if (name == "relu") return activation::relu;
  if (name == "gelu") return activation::gelu;
  return name == "gelu_tanh" ? activation::gelu_tanh : activation::silu;
}

void apply(const feed_forward& block, const const_matrix_ref& x, matrix_ref y, matrix& inner) {
  inner.resize(x.rows(), index(block.up.outputs()));
  apply(block.up, x, inner);
  const Eigen::Index width = index(block.down.inputs());
  // Rows in tasks of 32: elementwise work is a few percent of the products, but not of one thread's.
  constexpr std::size_t rows_per_task = 32;
  parallel_for((extent(x.rows()) + rows_per_task - 1) / rows_per_task, [&](std::size_t task) noexcept {
    const Eigen::Index first = index(task * rows_per_task);
    const Eigen::Index last = std::min(first + index(rows_per_task), x.rows());
    for (Eigen::Index row = first; row < last; ++row) {
      auto front = inner.row(row).head(width).array();
      activate(block.function, front);
      if (block.gated) front *= inner.row(row).tail(width).array();
    }
  });
  apply(block.down, inner.leftCols(width), y);
}

}  // namespace act::runtime
