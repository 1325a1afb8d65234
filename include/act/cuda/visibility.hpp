// Which keys each row sees and which rows see each key: attention_view.hpp's rules for device memory, where
// left padding is an array on the device and positions are 32-bit.
#pragma once

#include <act/detail/rules/host_device.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>

namespace act::inline ACT_ABI::cuda {

/// Row i stands at position query_offset + i and sees the keys first_key .. that position, with a window only
/// the last `window` of them. As act::visibility, but for where first_key lies.
struct visibility {
  std::size_t query_offset = 0;             ///< position of the first row
  const std::int32_t* first_key = nullptr;  ///< device memory, one a batch entry; null: no padding
  std::size_t window = 0;                   ///< sliding window in keys; 0 = unlimited
};

namespace detail {

ACT_HOST_DEVICE constexpr int lesser(int a, int b) noexcept {
  return a < b ? a : b;
}
ACT_HOST_DEVICE constexpr int greater(int a, int b) noexcept {
  return a > b ? a : b;
}
ACT_HOST_DEVICE constexpr int ceil_div(int a, int b) noexcept {
  return (a + b - 1) / b;
}

/// Keys [begin, end); empty when begin >= end.
struct range {
  int begin = 0, end = 0;

  ACT_HOST_DEVICE bool contains(int key) const noexcept { return begin <= key && key < end; }
  ACT_HOST_DEVICE int size() const noexcept { return begin < end ? end - begin : 0; }
};

/// One batch entry's rules. Numbers are below 2^31 (checked at the door); `initial` comes from the device and
/// may be anything up to there: a sequence that is padding throughout sees nothing.
struct sequence {
  int initial = 0;  // the initial token's position, which is never calibrated
  int offset = 0;   // position of row 0
  int window = 0;   // 0 = unlimited

  ACT_HOST_DEVICE range row(int query) const noexcept {
    const int end = offset + query + 1;
    const int windowed = window != 0 && end > window ? end - window : 0;
    return {greater(initial, windowed), end};
  }
  /// What the rows [first, last) see together: ranges only move right. first < last.
  ACT_HOST_DEVICE range rows(int first, int last) const noexcept {
    return {row(first).begin, row(last - 1).end};
  }
  /// How many of the rows at positions [first_row, last_row) see `key`.
  ACT_HOST_DEVICE int rows_seeing(int key, int first_row, int last_row) const noexcept {
    if (key < initial) return 0;
    const int from = greater(first_row, key);
    const int to = window == 0 || key >= last_row || window >= last_row - key ? last_row : key + window;
    return from < to ? to - from : 0;
  }
};

/// The rules of one batch entry; reads device memory.
ACT_HOST_DEVICE inline sequence sequence_of(const visibility& visible, int batch) noexcept {
  return {visible.first_key == nullptr ? 0 : greater(visible.first_key[batch], 0),
          static_cast<int>(visible.query_offset), static_cast<int>(visible.window)};
}

}  // namespace detail
}  // namespace act::inline ACT_ABI::cuda
