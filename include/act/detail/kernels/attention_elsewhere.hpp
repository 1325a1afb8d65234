// A block of rows' attention to all keys but the sinks: for rows that sinks hold nearly all of, where taking
// the sinks' part out of an output would cancel. Costs about what the block's attention did, in pieces of
// keys that are read where they are. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/attention_head.hpp>
#include <act/detail/kernels/attention_row.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/detail/kernels/turned_block.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class Types, class Arch>
class attention_elsewhere {
  using head_type = attention_head<Types, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using turned = turned_block<Types, Arch>;
  using row_of = attention_row<typename Types::cache, Arch>;
  static constexpr std::size_t block_rows = block::block_rows;

 public:
  /// `sinks` ascend.
  attention_elsewhere(head_type& head, std::span<const std::size_t> sinks) noexcept
      : head_(head), sinks_(sinks) {}

  /// Rows [i, i + rows), which `queries` holds: mass[r] becomes what row i + r has outside of sinks, and
  /// output(r) the sum of these keys' weights times their values. Keys that some of the rows don't see are
  /// added to one row after the other: nought times a value that isn't a number wouldn't be nought.
  void attend(std::size_t i, std::size_t rows, const turned& queries, double* mass) noexcept {
    const key_range first = head_.seen(i), last = head_.seen(i + rows - 1);
    std::fill_n(mass, block_rows, 0.0);
    std::fill_n(head_.elsewhere, rows * head_.of.padded_values(), A(0));
    const std::size_t all_see = std::min(last.begin, last.end), no_longer = std::max(first.end, all_see);
    add_range(i, rows, queries, {first.begin, all_see}, false, mass);
    add_range(i, rows, queries, {all_see, no_longer}, true, mass);
    add_range(i, rows, queries, {no_longer, last.end}, false, mass);
  }

  [[nodiscard]] const A* output(std::size_t r) const noexcept {
    return head_.elsewhere + r * head_.of.padded_values();
  }

 private:
  void add_range(std::size_t i, std::size_t rows, const turned& queries, key_range range, bool seen_by_all,
                 double* mass) noexcept {
    constexpr std::size_t piece = head_type::shape::piece;
    std::size_t positions[piece], count = 0;
    auto sink = std::lower_bound(sinks_.begin(), sinks_.end(), range.begin);
    for (std::size_t j = range.begin; j < range.end; ++j) {
      if (sink != sinks_.end() && *sink == j) {
        ++sink;
        continue;
      }
      positions[count++] = j;
      if (count < piece) continue;
      add_piece(i, rows, queries, positions, count, seen_by_all, mass);
      count = 0;
    }
    if (count > 0) add_piece(i, rows, queries, positions, count, seen_by_all, mass);
  }

  void add_piece(std::size_t i, std::size_t rows, const turned& queries, const std::size_t* positions,
                 std::size_t count, bool seen_by_all, double* mass) noexcept {
    const std::size_t padded_values = head_.of.padded_values();
    const auto position = [&](std::size_t k) { return positions[k]; };
    queries.copy_keys([&](std::size_t k) { return head_.key(positions[k]); }, count, head_.piece_keys);
    queries.weigh(head_.piece_keys, count, position, head_.piece_weights);
    turned::add(head_.piece_weights, count, mass);
    if (!seen_by_all) {
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t r = 0; r < rows; ++r) {
          if (!head_.seen(i + r).contains(positions[k])) continue;
          row_of::mix(
              head_.piece_weights + k * block_rows + r, 1,
              [&](std::size_t) { return head_.value(positions[k]); }, head_.of.value_channels, A(1),
              head_.elsewhere + r * padded_values);
        }
      }
      return;
    }
    block::template pack_values<typename Types::cache>(
        [&](std::size_t k) { return head_.value(positions[k]); }, count, head_.of.value_channels,
        head_.piece_values);
    for (std::size_t c = 0; c < padded_values; c += block::width) {
      block::multiply_turned(head_.piece_weights, block_rows, rows, head_.piece_values + c * count, count,
                             head_.elsewhere + c, padded_values, true);
    }
  }

  head_type& head_;
  std::span<const std::size_t> sinks_;
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
