#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/output_matrix.hpp>
#include <act/runtime/products/product.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace act::runtime {

float output_matrix::logit(std::size_t token, float product) const noexcept {
  const float sum = bias_.empty() ? product : product + bias_[token];
  return soft_cap_ > 0 ? soft_cap_ * std::tanh(sum / soft_cap_) : sum;
}

matrix output_matrix::block_logits(const const_matrix_ref& x, std::size_t block) const {
  const std::size_t first = block * tokens_per_block;
  const std::size_t size = std::min(tokens_per_block, count() - first);
  matrix logits(x.rows(), size);
  multiply({x.data(), x.rows(), x.stride()}, rows_, first, size, compute_,
           {logits.data(), logits.rows(), logits.cols()});
  if (!bias_.empty()) add_to_rows(logits, std::span<const float>(bias_).subspan(first, size));
  if (soft_cap_ > 0) {
    for (std::size_t row = 0; row < logits.rows(); ++row)
      soft_cap(logits.row(row), soft_cap_);
  }
  return logits;
}

void output_matrix::all_logits(const const_matrix_ref& x, matrix_ref out) const {
  logits_in_blocks(
      x, [&](std::size_t first, const matrix& logits) { copy(logits, out.columns(first, logits.cols())); });
}

}  // namespace act::runtime
