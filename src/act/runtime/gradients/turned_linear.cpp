#include <act/parallel.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>
#include <act/runtime/gradients/turned_linear.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/product.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::runtime {

turned_linear::turned_linear(const linear& layer) {
  const std::size_t outputs = layer.outputs(), inputs = layer.inputs();
  if (outputs == 0) return;
  turned_ = matrix(inputs, outputs);
  // Sixteen rows at a time: what they write of a turned row is a cache line.
  constexpr std::size_t rows_at_once = 16;
  const std::size_t tasks = (outputs + rows_at_once - 1) / rows_at_once;
  matrix expanded(thread_count() * rows_at_once, inputs);
  parallel_for(tasks, [&](std::size_t task, std::size_t worker) noexcept {
    const std::size_t first = task * rows_at_once, count = std::min(rows_at_once, outputs - first);
    const matrix_ref block = expanded.row_block(worker * rows_at_once, count);
    for (std::size_t row = 0; row < count; ++row)
      layer.weight.copy_row(first + row, block.row(row));
    for (std::size_t column = 0; column < inputs; ++column) {
      float* const to = &turned_(column, first);
      for (std::size_t row = 0; row < count; ++row)
        to[row] = block(row, column);
    }
  });
  rows_ = stored_matrix({.name = "turned",
                         .type = tensor_type::f32,
                         .shape = {inputs, outputs},
                         .bytes = std::as_bytes(std::span(turned_.data(), turned_.size()))});
}

void turned_linear::pull_back(const const_matrix_ref& dy, matrix_ref dx) const {
  multiply({dy.data(), dy.rows(), dy.stride()}, rows_, 0, rows_.rows(), compute_type::f32,
           {dx.data(), dx.rows(), dx.stride()});
}

}  // namespace act::runtime
