#include <act/parallel.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cstddef>

namespace act::runtime {
namespace {

// Output features are split in blocks of this many, one task each. Fixed, so that the sums behind a result
// don't depend on the number of threads; a multiple of every micro-kernel height Eigen uses (48 with AVX-512,
// 24 with AVX2), and small enough that a block of weights (192 x 1536 floats: 1.2 MB at most here) is packed
// once and stays in L2.
constexpr std::size_t linear_block = 192;

}  // namespace

void apply(const linear& layer, const const_matrix_ref& x, matrix_ref y) {
  if (x.rows() == 0) return;
  const std::size_t outputs = layer.outputs();
  const std::size_t blocks = (outputs + linear_block - 1) / linear_block;
  const auto multiply = [&](std::size_t block) noexcept {
    const Eigen::Index first = index(block * linear_block);
    const Eigen::Index count = std::min(index(linear_block), index(outputs) - first);
    auto out = y.middleCols(first, count);
    out.noalias() = x * layer.weight.middleRows(first, count).transpose();
    if (layer.bias.size() != 0) out.rowwise() += layer.bias.segment(first, count);
  };
  if (extent(x.rows()) * layer.inputs() * outputs < product_worth_threads) {
    for (std::size_t block = 0; block < blocks; ++block)
      multiply(block);
  } else {
    parallel_for(blocks, multiply);
  }
}

}  // namespace act::runtime
