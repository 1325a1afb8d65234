#include <act/parallel.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/linear.hpp>
#include <act/runtime/layers/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

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
  const auto run_block = [&](std::size_t block) noexcept {
    const std::size_t first = block * linear_block;
    const std::size_t count = std::min(linear_block, outputs - first);
    const matrix_ref out = y.columns(first, count);
    multiply(x, layer.weight.row_block(first, count), out);
    if (!layer.bias.empty()) add_to_rows(out, std::span(layer.bias).subspan(first, count));
  };
  if (x.rows() * layer.inputs() * outputs < product_worth_threads) {
    for (std::size_t block = 0; block < blocks; ++block)
      run_block(block);
  } else {
    parallel_for(blocks, run_block);
  }
}

}  // namespace act::runtime
