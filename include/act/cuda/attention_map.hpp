// A map in device memory, and what is told about its calibration beside the options. The device counterpart
// of attention_view.hpp and calibration_report.
#pragma once

#include <act/cuda/status.hpp>
#include <act/cuda/visibility.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace act::inline ACT_ABI::cuda {

/// A softmaxed map [batch, head, query, key] in device memory, as act::attention_span: strides in elements,
/// keys contiguous.
template <class T>
struct attention_map {
  T* data = nullptr;
  std::size_t batches = 0;
  std::size_t heads = 0;
  std::size_t queries = 0;
  std::size_t keys = 0;
  std::size_t batch_stride = 0;
  std::size_t head_stride = 0;
  std::size_t query_stride = 0;
  visibility visible = {};

  /// A contiguous row-major map.
  [[nodiscard]] static constexpr attention_map packed(T* data, std::size_t batches, std::size_t heads,
                                                      std::size_t queries, std::size_t keys,
                                                      visibility visible = {}) noexcept {
    return {data, batches, heads, queries, keys, heads * queries * keys, queries * keys, keys, visible};
  }
  [[nodiscard]] constexpr bool empty() const noexcept {
    return batches == 0 || heads == 0 || queries == 0 || keys == 0;
  }
};

/// Where a call leaves what it did, in device memory; null members aren't wanted. Entries of heads that
/// aren't chosen aren't written.
struct report {
  double* scores = nullptr;                ///< [batch, head, keys] column scores
  std::int32_t* sink_counts = nullptr;     ///< [batch, head]
  std::int32_t* sink_positions = nullptr;  ///< [batch, head, keys], the first sink_counts of them, ascending
  double* moved_mass = nullptr;            ///< [batch, head] sum over rows of what sinks lost
};

namespace detail {

/// Extents and positions are 32-bit in kernels, with room for a block's step beyond them.
inline constexpr std::size_t most_positions = std::size_t{1} << 30;

/// Whether `queries` rows from an offset fit among `keys`, everything within 32 bits.
[[nodiscard]] constexpr bool fits(std::size_t batches, std::size_t heads, std::size_t queries,
                                  std::size_t keys, const visibility& visible) noexcept {
  return keys < most_positions && batches < most_positions && heads < most_positions &&
         batches * heads < most_positions && visible.query_offset <= keys &&
         queries <= keys - visible.query_offset;
}

/// A window in kernels' 32 bits: one that reaches over all keys is none.
[[nodiscard]] constexpr visibility bounded(visibility visible, std::size_t keys) noexcept {
  if (visible.window >= keys) visible.window = 0;
  return visible;
}

/// Rows must not overlap: sorted by stride, each axis steps over everything inside it.
[[nodiscard]] constexpr bool keeps_apart(std::size_t row, std::array<std::size_t, 3> strides,
                                         std::array<std::size_t, 3> extents) noexcept {
  std::array<std::size_t, 3> order{0, 1, 2};
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return strides[a] < strides[b]; });
  std::size_t extent = row;
  for (const std::size_t axis : order) {
    if (extents[axis] == 1) continue;
    if (strides[axis] < extent || strides[axis] > (std::size_t{1} << 60) / extents[axis]) return false;
    extent += strides[axis] * (extents[axis] - 1);
  }
  return true;
}

template <class T>
[[nodiscard]] constexpr bool is_valid(const attention_map<T>& map) noexcept {
  if (map.empty()) return true;
  return map.data != nullptr && fits(map.batches, map.heads, map.queries, map.keys, map.visible) &&
         keeps_apart(map.keys, {map.query_stride, map.head_stride, map.batch_stride},
                     {map.queries, map.heads, map.batches});
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
