// The last layer: from the final hidden state to logits, for every word or for a few of them.
//
// Its rows are expanded where they are needed (products/stored_matrix.hpp): scoring labels takes a handful,
// the whole vocabulary goes block by block. Logits beyond a product with the rows (a bias, a soft cap) are
// formed here and nowhere else.
#pragma once

#include <act/parallel.hpp>
#include <act/runtime/layers/matrix.hpp>
#include <act/runtime/products/compute_type.hpp>
#include <act/runtime/products/profile.hpp>
#include <act/runtime/products/stored_matrix.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace act::runtime {

/// logits = cap(x rows^T + bias). Non-owning as its rows are, but for the bias.
class output_matrix {
 public:
  output_matrix() = default;
  /// `bias` is empty or one number a row; `soft_cap` c > 0 makes logits c tanh(logit / c).
  explicit output_matrix(stored_matrix rows, row_vector bias = {}, float soft_cap = 0,
                         compute_type compute = compute_type::f32)
      : rows_(std::move(rows)), bias_(std::move(bias)), soft_cap_(soft_cap), compute_(compute) {}

  [[nodiscard]] const stored_matrix& rows() const noexcept { return rows_; }
  [[nodiscard]] const row_vector& bias() const noexcept { return bias_; }
  [[nodiscard]] std::size_t count() const noexcept { return rows_.rows(); }

  /// The logit of `token` where its row and the hidden state have the product `product`.
  [[nodiscard]] float logit(std::size_t token, float product) const noexcept;

  static constexpr std::size_t tokens_per_block = 512;
  /// How many blocks `logits_in_blocks` makes.
  [[nodiscard]] std::size_t blocks() const noexcept {
    return (count() + tokens_per_block - 1) / tokens_per_block;
  }

  /// The logits of the whole vocabulary, which is expanded block by block and never as a whole: calls
  /// `use(first, logits)` once for each block, `logits` [rows, tokens] being those of tokens `first`,
  /// `first` + 1 and so on, the callee's to change. `first` is a multiple of `tokens_per_block`. Blocks come
  /// on many threads at once and in no order, and `use` may not throw. x is [rows, width]. Cost: that of the
  /// product; memory a block's logits for each thread.
  template <class Use>
  void logits_in_blocks(const const_matrix_ref& x, Use&& use) const {
    const profile_scope scope(operation::output, x.rows(), rows_);
    parallel_for(blocks(), [&](std::size_t block) noexcept {
      matrix logits = block_logits(x, block);
      use(block * tokens_per_block, logits);
    });
  }

  /// The logits of the whole vocabulary at once: `out` is [rows, count()].
  void all_logits(const const_matrix_ref& x, matrix_ref out) const;

 private:
  [[nodiscard]] matrix block_logits(const const_matrix_ref& x, std::size_t block) const;

  stored_matrix rows_;
  row_vector bias_;
  float soft_cap_ = 0;
  compute_type compute_ = compute_type::f32;
};

}  // namespace act::runtime
