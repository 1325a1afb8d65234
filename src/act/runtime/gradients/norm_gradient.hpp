// The gradient through a norm.
#pragma once

#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/layers/norm.hpp>

namespace act::runtime {

/// From the gradient with regard to norm(x) to that with regard to x, in place. `gradient` is one block of
/// x's rows under another, one for each number whose gradient it is: [k x.rows(), x.cols()]. A missing layer
/// changes nothing.
void pull_back(const norm& layer, const const_matrix_ref& x, matrix_ref gradient);

}  // namespace act::runtime
