// What is computed with the numbers of matrices beside products (products/), on the calling thread.
//
// Only arithmetic.cpp includes a linear algebra library. Bits are those of the processor's vectors: a row is
// taken in vectors from its first aligned number on, so equal rows at equal places of a matrix give equal
// results. Spans of one call have the same length; they may be the same span, but not overlap otherwise.
#pragma once

#include <act/runtime/layers/matrix.hpp>

#include <span>

namespace act::runtime {

/// x scale, number by number.
void scale(std::span<float> x, float by) noexcept;
/// x + by in every row of x.
void add_to_rows(matrix_ref x, std::span<const float> by) noexcept;
/// x + by, number by number.
void add(matrix_ref x, const const_matrix_ref& by) noexcept;
void add(std::span<float> x, std::span<const float> by) noexcept;
void multiply(std::span<float> x, std::span<const float> by) noexcept;

[[nodiscard]] float dot(std::span<const float> a, std::span<const float> b) noexcept;
[[nodiscard]] float sum(std::span<const float> x) noexcept;
/// The sum of (x - mean)^2.
[[nodiscard]] float sum_of_squares(std::span<const float> x, float mean) noexcept;
/// The sum of exp(x - most).
[[nodiscard]] float sum_of_exponentials(std::span<const float> x, float most) noexcept;
/// x = exp(x - most), number by number.
void exponentials(std::span<float> x, float most) noexcept;
/// The largest number. Precondition: there is one.
[[nodiscard]] float largest(std::span<const float> x) noexcept;
[[nodiscard]] bool all_finite(std::span<const float> x) noexcept;

/// out = (x - mean) scale.
void shift_and_scale(std::span<const float> x, float mean, float scale, std::span<float> out) noexcept;

/// x = cap tanh(x / cap).
void soft_cap(std::span<float> x, float cap) noexcept;

// The activations of feed_forward.hpp, in place.
void silu(std::span<float> x) noexcept;
void relu(std::span<float> x) noexcept;
void gelu(std::span<float> x) noexcept;
void gelu_tanh(std::span<float> x) noexcept;

// Their derivatives at x, in its place; relu's at 0 is 0.
void silu_slope(std::span<float> x) noexcept;
void relu_slope(std::span<float> x) noexcept;
void gelu_slope(std::span<float> x) noexcept;
void gelu_tanh_slope(std::span<float> x) noexcept;

// Products of small matrices, such as a head's block of attention; weights are products/'s. `out` overlaps
// neither.
/// out = a b^T.
void multiply_turned(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept;
/// out + a b.
void add_product(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept;
/// out + a^T b.
void add_turned_product(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept;

}  // namespace act::runtime
