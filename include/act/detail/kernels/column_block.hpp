// Running sums of 64 columns that a decoding step adds a row to: what sink_columns.hpp runs block by block.
// Nothing here allocates, throws or checks.
//
// A step reads and writes 4 bytes a column, the float `recent`, and compares it with one number of the block:
// as long as none is over that limit, no column of the block is over its threshold. Only every
// `column_interval` steps, or when one is over, the block is looked through in double.
//
// Precision. A column's sum is sums + recent, the first in double. `recent` takes at most `column_interval`
// additions before it goes on in double, all of them >= 0: it is off by at most 15 roundings and one of the
// row's factor, 9.5e-7 of what the last 16 steps added. The column's sum is off by that times the share that
// these steps have in it.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/element_lanes.hpp>
#include <act/detail/kernels/lane_operations.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

inline constexpr std::size_t column_block_size = 64;
inline constexpr std::size_t column_interval = 16;  // steps

/// What a block's columns are measured against: `uniform` + `share`, or where that is null, `rows` +
/// `pending`.
struct column_measure {
  double* uniform;
  double share;
  std::int32_t* rows;
  std::int32_t pending;
};

template <class Arch>
struct column_block {
  using wide = lane_operations<double, Arch>;

  /// recent[j] += row[j] * factor for a whole block. Whether one is now over `limit`; a NaN isn't.
  template <class T>
  [[nodiscard]] static bool add(const T* row, float factor, float* recent, float limit) noexcept {
    using from = element_lanes<T, Arch>;
    using op = typename from::op;
    const typename op::batch by(factor), most(limit);
    const auto one = [&](std::size_t j) {
      const typename op::batch now = op::fma(from::load(row + j), by, op::load(recent + j));
      op::store(now, recent + j);
      return op::over(now, most);
    };
    typename op::mask over = one(0);
    for (std::size_t j = op::lanes; j < column_block_size; j += op::lanes)
      over = op::either(over, one(j));
    return op::any(over);
  }

  /// sums[j] += row[j] * factor, any number of columns.
  template <class T>
  static void add_widened(const T* row, std::size_t count, accumulator_t<T> factor, double* sums) noexcept {
    using from = element_lanes<T, Arch>;
    using op = typename from::op;
    const typename op::batch by(factor);
    const std::size_t whole = count - count % op::lanes;
    for (std::size_t j = 0; j < whole; j += op::lanes)
      op::add_widened(from::load(row + j) * by, sums + j);
    for (std::size_t j = whole; j < count; ++j)
      sums[j] += static_cast<double>(element_traits<T>::load(row[j]) * factor);
  }

  struct found {
    double room;  ///< how far `recent` of columns not over their threshold may grow until one is, or infinity
    bool over;    ///< whether one is over its threshold
  };

  /// Looks through a block's first `count` columns, and up to a batch more; `factor` times their measures are
  /// their thresholds. If it `Settles`, all of the block is looked through, and recent and pending go on in
  /// sums and rows, share in uniform.
  template <bool Settles>
  [[nodiscard]] static found look(double* sums, float* recent, const column_measure& against, double factor,
                                  std::size_t count) noexcept {
    using batch = typename wide::batch;
    const batch by(factor), all(std::numeric_limits<double>::infinity());
    const batch share(against.share), pending(double(against.pending));
    batch least = all;
    typename wide::mask over = wide::over(all, all);
    const std::size_t end = Settles ? column_block_size : count;
    for (std::size_t j = 0; j < end; j += wide::lanes) {
      const batch before = wide::load(sums + j), sum = before + wide::widened(recent + j);
      const batch measure = against.uniform != nullptr ? wide::load(against.uniform + j) + share
                                                       : wide::widened(against.rows + j) + pending;
      if constexpr (Settles) {
        wide::store(sum, sums + j);
        if (against.uniform != nullptr) wide::store(measure, against.uniform + j);
      }
      const batch threshold = measure * by;
      const typename wide::mask is_over = wide::over(sum, threshold);
      const batch room = wide::select(is_over, all, threshold - (Settles ? sum : before));
      least = wide::select(wide::over(least, room), room, least);  // a NaN limits nothing
      over = wide::either(over, is_over);
    }
    if constexpr (Settles) {
      for (std::size_t j = 0; j < column_block_size; ++j) {
        recent[j] = 0;
        against.rows[j] += against.pending;
      }
    }
    return {-wide::largest(-least), wide::any(over)};
  }
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
