// A block of rows' attention to all keys but the sinks: for rows that sinks hold nearly all of, where taking
// the sinks' part out of an output would cancel. Costs about what the block's attention did, in pieces of
// keys that are read where they are. Nothing here allocates, throws or checks.
#pragma once

#include <act/attention_view.hpp>
#include <act/kernels/attention_head.hpp>
#include <act/kernels/turned_block.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::detail {

template <class T, class Arch>
class attention_elsewhere {
  using head_type = attention_head<T, Arch>;
  using A = typename head_type::A;
  using block = typename head_type::block;
  using turned = turned_block<T, Arch>;
  static constexpr std::size_t block_rows = block::block_rows;

 public:
  /// `sinks` ascend.
  attention_elsewhere(head_type& head, std::span<const std::size_t> sinks) noexcept
      : head_(head), sinks_(sinks) {}

  /// Rows [i, i + rows), which `queries` holds: mass[r] becomes what row i + r has outside of sinks, and
  /// output(r) the sum of these keys' weights times their values.
  void attend(std::size_t i, std::size_t rows, const turned& queries, double* mass) noexcept {
    constexpr std::size_t piece = head_type::shape::piece;
    const std::size_t begin = head_.seen(i).begin, end = head_.seen(i + rows - 1).end;
    const std::size_t padded_values = head_.of.padded_values();
    std::fill_n(mass, block_rows, 0.0);
    for (std::size_t from = begin; from < end; from += piece) {
      const std::size_t count = std::min(piece, end - from);
      queries.copy_keys([&](std::size_t k) { return head_.key(from + k); }, count, head_.piece_keys);
      queries.weigh(
          head_.piece_keys, count, [&](std::size_t k) { return from + k; }, head_.piece_weights);
      for (auto s = std::lower_bound(sinks_.begin(), sinks_.end(), from);
           s != sinks_.end() && *s < from + count; ++s)
        std::fill_n(head_.piece_weights + (*s - from) * block_rows, block_rows, A(0));
      turned::add(head_.piece_weights, count, mass);
      block::template pack_values<T>([&](std::size_t k) { return head_.value(from + k); }, count,
                                     head_.of.value_channels, head_.piece_values);
      for (std::size_t c = 0; c < padded_values; c += block::width) {
        block::multiply_turned(head_.piece_weights, block_rows, rows, head_.piece_values + c * count, count,
                               head_.elsewhere + c, padded_values, from > begin);
      }
    }
  }

  [[nodiscard]] const A* output(std::size_t r) const noexcept {
    return head_.elsewhere + r * head_.of.padded_values();
  }

 private:
  head_type& head_;
  std::span<const std::size_t> sinks_;
};

}  // namespace act::inline ACT_ABI::detail
