// A dense layer y = x W^T + b over packed rows.
#pragma once

#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/profile.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>

namespace act::runtime {

/// Weights as every checkpoint stores them: `weight` is [out, in], `bias` is [out] or empty.
struct linear {
  stored_matrix weight;
  row_vector bias;
  compute_type compute = compute_type::f32;

  [[nodiscard]] std::size_t inputs() const noexcept { return weight.columns(); }
  [[nodiscard]] std::size_t outputs() const noexcept { return weight.rows(); }
};

/// y = x W^T + b. x is [rows, in], y is [rows, out]; they must not overlap. Memory and cost: those of the
/// product (product.hpp).
void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y);
/// The same, counted as `of`.
void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y, operation of);

}  // namespace act::runtime
