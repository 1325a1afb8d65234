// A block of query rows lying in the lanes: some keys' weights in all of its rows, from what the softmax left
// of each row. For correcting outputs, where sinks are few and rows many: no lane is empty however few keys
// there are. A score is the chain of multiply-adds that attention_block.hpp makes it by, so weights of rows
// that were made there come out the same to the bit. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class Types, class Arch>
class turned_block {
  using head_type = attention_head<Types, Arch>;
  using block = typename head_type::block;
  using op = typename block::op;
  using batch = typename block::batch;

 public:
  using A = typename head_type::A;
  static constexpr std::size_t block_rows = block::block_rows;

  explicit turned_block(head_type& head) noexcept : head_(head) {}

  /// Takes rows [i, i + rows).
  void load(std::size_t i, std::size_t rows) noexcept {
    i_ = i;
    rows_ = rows;
    head_.load_queries(i, rows);
    block::template pack_keys<A>([&](std::size_t r) { return head_.queries + r * head_.of.channels; }, rows,
                                 head_.of.channels, head_.turned);
  }

  /// Keys as weigh() reads them: rows in the accumulator type.
  template <class RowOf>
  void copy_keys(RowOf&& row_of, std::size_t count, A* to) const noexcept {
    for (std::size_t k = 0; k < count; ++k)
      element_lanes<typename Types::cache, Arch>::widen(row_of(k), A(1), head_.of.channels,
                                                        to + k * head_.of.channels);
  }

  /// weights[k * block_rows + r] = weight of key position_of(k), the k-th row of `keys`, in row i + r; 0
  /// where the row doesn't see it or isn't there. Memory of `keys` and `weights` must reach the next multiple
  /// of tile_rows.
  template <class PositionOf>
  void weigh(const A* keys, std::size_t count, PositionOf&& position_of, A* weights) const noexcept {
    const std::size_t channels = head_.of.channels;
    for (std::size_t r = 0; r < rows_; r += block::width) {
      block::multiply(keys, channels, count, head_.turned + r * channels, channels, rows_ - r, weights + r,
                      block_rows);
    }
    for (std::size_t k = 0; k < count; ++k) {
      A* const weight = weights + k * block_rows;
      mask(position_of(k), weight);
      for (std::size_t r = 0; r < block_rows; r += op::lanes) {
        op::store(op::exp(op::load(weight + r) - op::load(head_.largest + i_ + r)) *
                      op::load(head_.inverse_sum + i_ + r),
                  weight + r);
      }
    }
  }

  /// sums[r] += the rows' sums of `count` keys' weights: in the accumulator type across a few, then in
  /// double.
  static void add(const A* weights, std::size_t count, double* sums) noexcept {
    constexpr std::size_t some = 8;
    for (std::size_t r = 0; r < block_rows; r += op::lanes) {
      for (std::size_t k = 0; k < count;) {
        batch sum(A(0));
        for (const std::size_t end = std::min(count, k + some); k < end; ++k)
          sum = sum + op::load(weights + k * block_rows + r);
        op::add_widened(sum, sums + r);
      }
    }
  }

 private:
  // Caps and biases a key's scores; -inf where a row doesn't see it or isn't there.
  void mask(std::size_t position, A* scores) const noexcept {
    constexpr A masked = -std::numeric_limits<A>::infinity();
    std::fill(scores + rows_, scores + block_rows, masked);
    const bool all_see = head_.seen(i_).contains(position) && head_.seen(i_ + rows_ - 1).contains(position);
    if (all_see && !head_.adjusts()) return;
    for (std::size_t r = 0; r < rows_; ++r) {
      if (!head_.seen(i_ + r).contains(position)) {
        scores[r] = masked;
      } else if (head_.adjusts()) {
        scores[r] = head_.adjusted(scores[r], i_ + r, position);
      }
    }
  }

  head_type& head_;
  std::size_t i_ = 0, rows_ = 0;
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
