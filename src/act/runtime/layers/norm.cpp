#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>

#include <cmath>

namespace act::runtime {

void apply(const norm& layer, const const_matrix_ref& x, matrix_ref y) {
  if (!layer.present()) {
    if (x.data() != y.data()) y = x;
    return;
  }
  const float width = static_cast<float>(x.cols());
  for (Eigen::Index row = 0; row < x.rows(); ++row) {
    const float mean = layer.kind == norm_kind::layer ? x.row(row).sum() / width : 0.0F;
    const float variance = (x.row(row).array() - mean).square().sum() / width;
    const float scale = 1.0F / std::sqrt(variance + layer.epsilon);
    y.row(row) = (x.row(row).array() - mean) * scale;
    if (layer.weight.size() != 0) y.row(row).array() *= layer.weight.array();
    if (layer.bias.size() != 0) y.row(row) += layer.bias;
  }
}

}  // namespace act::runtime
