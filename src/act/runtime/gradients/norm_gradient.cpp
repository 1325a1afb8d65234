#include <act/runtime/gradients/norm_gradient.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace act::runtime {

void pull_back(const norm& layer, const const_matrix_ref& x, matrix_ref gradient) {
  if (!layer.present()) return;
  const std::size_t width = layer.width;
  const auto numbers = static_cast<float>(width);
  row_vector normal(width);
  for (std::size_t row = 0; row < x.rows(); ++row) {
    for (std::size_t column = 0; column + width <= x.cols(); column += width) {
      const std::span<const float> from = x.row(row).subspan(column, width);
      const bool centres = layer.kind == norm_kind::layer;
      const float mean = centres ? sum(from) / numbers : 0.0F;
      const float scale_of = 1.0F / std::sqrt(sum_of_squares(from, mean) / numbers + layer.epsilon);
      shift_and_scale(from, mean, scale_of, normal);
      for (std::size_t at = row; at < gradient.rows(); at += x.rows()) {
        const std::span<float> g = gradient.row(at).subspan(column, width);
        if (!layer.weight.empty()) {
          multiply(
              g,
              std::span<const float>(layer.weight).subspan(layer.weight.size() == width ? 0 : column, width));
        }
        // With n = (x - mean) s: dx = s (g - mean(g) - n mean(g n)); RMSNorm takes no mean away.
        const float along = dot(g, normal) / numbers;
        const float away = centres ? sum(g) / numbers : 0.0F;
        for (std::size_t i = 0; i < width; ++i)
          g[i] = scale_of * (g[i] - away - normal[i] * along);
      }
    }
  }
}

}  // namespace act::runtime
