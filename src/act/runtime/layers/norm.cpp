#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>
#include <act/runtime/products/profile.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace act::runtime {

void apply(const norm& layer, const const_matrix_ref& x, matrix_ref y) {
  if (!layer.present()) {
    if (x.data() != y.data()) copy(x, y);
    return;
  }
  const profile_scope scope(operation::norm);
  const std::size_t width = layer.width;
  const auto of_stretch = [&](const row_vector& all, std::size_t column) {
    return std::span<const float>(all).subspan(all.size() == width ? 0 : column, width);
  };
  for (std::size_t row = 0; row < x.rows(); ++row) {
    for (std::size_t column = 0; column + width <= x.cols(); column += width) {
      const std::span<const float> from = x.row(row).subspan(column, width);
      const std::span<float> to = y.row(row).subspan(column, width);
      const float mean = layer.kind == norm_kind::layer ? sum(from) / static_cast<float>(width) : 0.0F;
      const float variance = sum_of_squares(from, mean) / static_cast<float>(width);
      const float scale = 1.0F / std::sqrt(variance + layer.epsilon);
      shift_and_scale(from, mean, scale, to);
      if (!layer.weight.empty()) multiply(to, of_stretch(layer.weight, column));
      if (!layer.bias.empty()) add(to, of_stretch(layer.bias, column));
    }
  }
}

}  // namespace act::runtime
