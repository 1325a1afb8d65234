// The numbers that are kept of a head's columns while it decodes. For sink_columns.hpp, which says what they
// mean for sinks, and for sink_tracker.hpp, which saves them.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/detail/kernels/column_block.hpp>
#include <act/detail/kernels/simd.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

[[nodiscard]] constexpr std::size_t column_blocks(std::size_t columns) noexcept {
  return (columns + column_block_size - 1) / column_block_size;
}

/// To go on from it is to go on to the bit.
struct column_state {
  std::vector<double> sums = {};        // of each column, but for what is recent
  std::vector<float> recent = {};       // of each column: what the last rows gave
  std::vector<std::int32_t> rows = {};  // of each column: how many saw it, but for its block's pending ones
  std::vector<double> uniform = {};     // of each column: what uniform rows would have given; or empty
  std::vector<double> share = {};       // of each block, with `uniform`: what pending rows would have
  std::size_t step = 0;                 // modulo column_interval: whose turn it is to be looked through

  void reserve(std::size_t blocks, bool by_uniform) {
    const std::size_t columns = blocks * column_block_size;
    sums.reserve(columns);
    recent.reserve(columns);
    rows.reserve(columns);
    if (by_uniform) uniform.reserve(columns);
    if (by_uniform) share.reserve(blocks);
  }

  /// New columns are noughts.
  void resize(std::size_t columns, bool by_uniform) {
    sums.resize(columns);
    recent.resize(columns);
    rows.resize(columns);
    if (by_uniform) uniform.resize(columns);
    if (by_uniform) share.resize(column_blocks(columns));
  }

  /// A block's recent and pending into sums and rows, its share into uniform.
  void settle(std::size_t b, std::int32_t pending) noexcept {
    const std::size_t from = b * column_block_size;
    double* const to = sums.data() + from;
    float* const what = recent.data() + from;
    std::int32_t* const seen_by = rows.data() + from;
    for (std::size_t k = 0; k < column_block_size; ++k) {
      to[k] += static_cast<double>(what[k]);
      seen_by[k] += pending;
    }
    std::fill_n(what, column_block_size, 0.0F);
    if (uniform.empty()) return;
    for (std::size_t k = 0; k < column_block_size; ++k)
      uniform[from + k] += share[b];
    share[b] = 0;
  }

  /// Takes a range out of `size` columns that have nothing recent; noughts follow the others.
  void erase(key_range range, std::size_t size) {
    const auto close = [&](auto& list) {
      const auto at = [&](std::size_t j) { return list.begin() + static_cast<std::ptrdiff_t>(j); };
      const auto end = std::copy(at(range.end), at(size), at(range.begin));
      std::fill(end, at(size), typename std::remove_reference_t<decltype(list)>::value_type(0));
    };
    close(sums);
    close(rows);
    if (!uniform.empty()) close(uniform);
  }

  /// Asks for a block's memory, but for `recent`.
  void prefetch(std::size_t b) const noexcept {
    const std::size_t from = b * column_block_size;
    for (std::size_t j = from; j < from + column_block_size; j += 8) {
      simd::prefetch(sums.data(), j);
      if (!uniform.empty()) simd::prefetch(uniform.data(), j);
    }
    for (std::size_t j = from; j < from + column_block_size; j += 16)
      simd::prefetch(rows.data(), j);
  }
};

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
