// The vocabulary's matrix (embedding or output): rows are expanded to float only when a token needs them.
//
// A 49,152-word vocabulary is a fifth of SmolLM2's weights. Scoring a prompt needs one row a token and one
// row a label word, so keeping this matrix as the file stores it saves that memory and the time to expand it.
#pragma once

#include <act/parallel.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace act::runtime {

/// Non-owning: the bytes belong to the mapped file that the model keeps alive.
class token_rows {
 public:
  token_rows() = default;
  explicit token_rows(tensor_view stored) : stored_(std::move(stored)) {}

  [[nodiscard]] std::size_t count() const noexcept { return stored_.rows(); }
  [[nodiscard]] std::size_t width() const noexcept { return stored_.columns(); }
  [[nodiscard]] std::size_t stored_bytes() const noexcept { return stored_.bytes.size(); }

  /// Expands one row. Preconditions: `token` < count(), `out` has width() numbers.
  void copy_row(std::size_t token, std::span<float> out) const noexcept;

  /// logits[r, i] = x[r] . row of tokens[i]. x is [rows, width], logits [rows, tokens].
  /// Cost: tokens x width to expand, 2 rows x tokens x width flops.
  void logits(const const_matrix_ref& x, std::span<const token_id> tokens, matrix_ref out) const;

  static constexpr std::size_t tokens_per_block = 512;
  /// How many blocks `logits_in_blocks` makes.
  [[nodiscard]] std::size_t blocks() const noexcept {
    return (count() + tokens_per_block - 1) / tokens_per_block;
  }

  /// The logits of the whole vocabulary, which is expanded block by block and never as a whole: calls
  /// `use(first, logits)` once for each block, `logits` [rows, tokens] being those of tokens `first`,
  /// `first` + 1 and so on, the callee's to change. `first` is a multiple of `tokens_per_block`. Blocks come
  /// on many threads at once and in no order, and `use` may not throw. Cost: count() x width to expand, 2
  /// rows x count() x width flops; memory a block's tokens and logits for each thread.
  template <class Use>
  void logits_in_blocks(const const_matrix_ref& x, Use&& use) const {
    parallel_for(blocks(), [&](std::size_t block) noexcept {
      matrix logits = block_logits(x, block);
      use(block * tokens_per_block, logits);
    });
  }

  /// The logits of the whole vocabulary at once: `out` is [rows, count()].
  void all_logits(const const_matrix_ref& x, matrix_ref out) const;

 private:
  [[nodiscard]] matrix block_logits(const const_matrix_ref& x, std::size_t block) const;

  tensor_view stored_;
};

}  // namespace act::runtime
