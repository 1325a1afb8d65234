#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/layers/arithmetic.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/token_rows.hpp>

#include <algorithm>
#include <cstddef>

namespace act::runtime {

void token_rows::copy_row(std::size_t token, std::span<float> out) const noexcept {
  dequantize_rows(stored_, token, out);
}

void token_rows::logits(const const_matrix_ref& x, std::span<const token_id> tokens, matrix_ref out) const {
  matrix rows(tokens.size(), width());
  for (std::size_t i = 0; i < tokens.size(); ++i)
    copy_row(static_cast<std::size_t>(tokens[i]), rows.row(i));
  multiply(x, rows, out);
}

matrix token_rows::block_logits(const const_matrix_ref& x, std::size_t block) const {
  const std::size_t first = block * tokens_per_block;
  const std::size_t size = std::min(tokens_per_block, count() - first);
  matrix rows(size, width());
  for (std::size_t i = 0; i < size; ++i)
    copy_row(first + i, rows.row(i));
  matrix logits(x.rows(), size);
  multiply(x, rows, logits);
  return logits;
}

void token_rows::all_logits(const const_matrix_ref& x, matrix_ref out) const {
  logits_in_blocks(
      x, [&](std::size_t first, const matrix& logits) { copy(logits, out.columns(first, logits.cols())); });
}

}  // namespace act::runtime
