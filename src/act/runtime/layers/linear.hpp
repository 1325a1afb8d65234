// A dense layer y = x W^T + b over packed rows.
#pragma once

#include <act/runtime/layers/matrix.hpp>

#include <cstddef>

namespace act::runtime {

/// Weights as every checkpoint stores them: `weight` is [out, in], `bias` is [out] or empty.
struct linear {
  matrix weight;
  row_vector bias;

  [[nodiscard]] std::size_t inputs() const noexcept { return weight.cols(); }
  [[nodiscard]] std::size_t outputs() const noexcept { return weight.rows(); }
};

/// y = x W^T + b. x is [rows, in], y is [rows, out]; they must not overlap. Allocates only packing
/// buffers. Cost: 2 rows in out flops, split over the threads by output features.
void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y);

}  // namespace act::runtime
