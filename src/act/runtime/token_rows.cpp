#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/token_rows.hpp>

#include <algorithm>
#include <cstddef>

namespace act::runtime {

void token_rows::copy_row(std::size_t token, std::span<float> out) const noexcept {
  dequantize_rows(stored_, token, out);
}

void token_rows::logits(const const_matrix_ref& x, std::span<const token_id> tokens, matrix_ref out) const {
  matrix rows(index(tokens.size()), index(width()));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    copy_row(static_cast<std::size_t>(tokens[i]), {&rows(index(i), 0), width()});
  }
  out.noalias() = x * rows.transpose();
}

matrix token_rows::block_logits(const const_matrix_ref& x, std::size_t block) const {
  const std::size_t first = block * tokens_per_block;
  const std::size_t size = std::min(tokens_per_block, count() - first);
  matrix rows(index(size), index(width()));
  for (std::size_t i = 0; i < size; ++i)
    copy_row(first + i, {&rows(index(i), 0), width()});
  return x * rows.transpose();
}

void token_rows::all_logits(const const_matrix_ref& x, matrix_ref out) const {
  logits_in_blocks(x, [&](std::size_t first, const matrix& logits) {
    out.middleCols(index(first), logits.cols()) = logits;
  });
}

}  // namespace act::runtime
