#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>

// Products are made inside our own parallel regions, or on the one thread that was asked for: there Eigen
// would start threads of its own, which spin for each other.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

namespace act::runtime {
namespace {

using dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using row_array = Eigen::Array<float, 1, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Index index(std::size_t value) noexcept {
  return static_cast<Eigen::Index>(value);
}
Eigen::Map<const dense, 0, Eigen::OuterStride<>> view(const const_matrix_ref& of) noexcept {
  return {of.data(), index(of.rows()), index(of.cols()), Eigen::OuterStride<>(index(of.stride()))};
}
Eigen::Map<dense, 0, Eigen::OuterStride<>> view(const matrix_ref& of) noexcept {
  return {of.data(), index(of.rows()), index(of.cols()), Eigen::OuterStride<>(index(of.stride()))};
}
Eigen::Map<const row_array> view(std::span<const float> of) noexcept {
  return {of.data(), index(of.size())};
}
Eigen::Map<row_array> view(std::span<float> of) noexcept {
  return {of.data(), index(of.size())};
}

}  // namespace

void scale(std::span<float> x, float by) noexcept {
  view(x) *= by;
}

void add_to_rows(matrix_ref x, std::span<const float> by) noexcept {
  view(x).rowwise() += view(by).matrix();
}

void add(matrix_ref x, const const_matrix_ref& by) noexcept {
  view(x) += view(by);
}

void add(std::span<float> x, std::span<const float> by) noexcept {
  view(x) += view(by);
}

void multiply(std::span<float> x, std::span<const float> by) noexcept {
  view(x) *= view(by);
}

float dot(std::span<const float> a, std::span<const float> b) noexcept {
  return view(a).matrix().dot(view(b).matrix());
}

float sum(std::span<const float> x) noexcept {
  // Of a difference, not of what lies in memory: that Eigen would add up from the first aligned number on,
  // and a row's sum would depend on where the row lies.
  return (view(x) - 0.0F).sum();
}

float sum_of_squares(std::span<const float> x, float mean) noexcept {
  return (view(x) - mean).square().sum();
}

float sum_of_exponentials(std::span<const float> x, float most) noexcept {
  return (view(x) - most).exp().sum();
}

void exponentials(std::span<float> x, float most) noexcept {
  view(x) = (view(x) - most).exp();
}

float largest(std::span<const float> x) noexcept {
  return view(x).maxCoeff();
}

bool all_finite(std::span<const float> x) noexcept {
  return view(x).isFinite().all();
}

void shift_and_scale(std::span<const float> x, float mean, float scale, std::span<float> out) noexcept {
  view(out) = (view(x) - mean) * scale;
}

void soft_cap(std::span<float> x, float cap) noexcept {
  view(x) = (view(x) / cap).tanh() * cap;
}

void silu(std::span<float> x) noexcept {
  view(x) /= (-view(x)).exp() + 1.0F;
}

void relu(std::span<float> x) noexcept {
  view(x) = view(x).max(0.0F);
}

void gelu(std::span<float> x) noexcept {
  view(x) = view(x).unaryExpr([](float v) {
    return 0.5F * v * (1.0F + std::erf(v * static_cast<float>(1.0 / std::numbers::sqrt2)));
  });
}

void gelu_tanh(std::span<float> x) noexcept {
  constexpr float c = 0.7978845608028654F;  // sqrt(2 / pi)
  auto of = view(x);
  of = 0.5F * of * (1.0F + (c * (of + 0.044715F * of.cube())).tanh());
}

void silu_slope(std::span<float> x) noexcept {
  auto of = view(x);
  // s (1 + x (1 - s)) with s the logistic function; 1 - s is formed as s(-x), which doesn't cancel.
  of = (1.0F + of / (of.exp() + 1.0F)) / ((-of).exp() + 1.0F);
}

void relu_slope(std::span<float> x) noexcept {
  view(x) = (view(x) > 0.0F).cast<float>();
}

void gelu_slope(std::span<float> x) noexcept {
  view(x) = view(x).unaryExpr([](float v) {
    constexpr float density_at_0 = 0.3989422804014327F;  // 1 / sqrt(2 pi)
    return 0.5F * (1.0F + std::erf(v * static_cast<float>(1.0 / std::numbers::sqrt2))) +
           v * density_at_0 * std::exp(-0.5F * v * v);
  });
}

void gelu_tanh_slope(std::span<float> x) noexcept {
  constexpr float c = 0.7978845608028654F;  // sqrt(2 / pi)
  auto of = view(x);
  const row_array t = (c * (of + 0.044715F * of.cube())).tanh();
  of = 0.5F * (1.0F + t) + 0.5F * of * (1.0F - t.square()) * c * (1.0F + 3 * 0.044715F * of.square());
}

void multiply_turned(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept {
  view(out).noalias() = view(a) * view(b).transpose();
}

void add_product(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept {
  view(out).noalias() += view(a) * view(b);
}

void add_turned_product(const const_matrix_ref& a, const const_matrix_ref& b, matrix_ref out) noexcept {
  view(out).noalias() += view(a).transpose() * view(b);
}

}  // namespace act::runtime
