#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/product.hpp>
#include <act/runtime/products/profile.hpp>

namespace act::runtime {

void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y) {
  multiply({x.data(), x.rows(), x.stride()}, layer.weight, 0, layer.outputs(), layer.compute,
           {y.data(), y.rows(), y.stride()});
  if (!layer.bias.empty()) add_to_rows(y, layer.bias);
}

void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y, operation of) {
  const profile_scope scope(of, x.rows(), layer.weight);
  apply(layer, x, y);
}

}  // namespace act::runtime
