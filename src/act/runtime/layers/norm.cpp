#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>

#include <cmath>
#include <cstddef>
#include <span>

namespace act::runtime {

void apply(const norm& layer, const const_matrix_ref& x, matrix_ref y) {
  if (!layer.present()) {
    if (x.data() != y.data()) copy(x, y);
    return;
  }
  const float width = static_cast<float>(x.cols());
  for (std::size_t row = 0; row < x.rows(); ++row) {
    const std::span<const float> from = x.row(row);
    const std::span<float> to = y.row(row);
    const float mean = layer.kind == norm_kind::layer ? sum(from) / width : 0.0F;
    const float variance = sum_of_squares(from, mean) / width;
    const float scale = 1.0F / std::sqrt(variance + layer.epsilon);
    shift_and_scale(from, mean, scale, to);
    if (!layer.weight.empty()) multiply(to, layer.weight);
    if (!layer.bias.empty()) add(to, layer.bias);
  }
}

}  // namespace act::runtime
