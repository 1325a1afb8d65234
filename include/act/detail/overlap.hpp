// Whether memory that a call writes is also read by it, or written twice: refused at the door, since results
// would depend on the order of the work. Reads no element.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/head_tensor.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Rows of `row` contiguous bytes, in up to three axes of `extent` rows each, `stride` bytes apart.
struct strided_memory {
  struct axis {
    std::size_t stride, extent;
  };
  std::uintptr_t begin = 0;
  std::size_t row = 0;
  std::array<axis, 3> axes = {};  // ascending by stride, those of one row as {0, 1}

  [[nodiscard]] bool empty() const noexcept {
    return row == 0 || std::any_of(axes.begin(), axes.end(), [](const axis& a) { return a.extent == 0; });
  }
  /// Bytes from the first to behind the last of the rows along the `count` innermost axes. What exceeds the
  /// address space is its end.
  [[nodiscard]] std::size_t span(std::size_t count) const noexcept {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    std::size_t bytes = row;
    for (std::size_t a = 0; a < count; ++a) {
      const std::size_t steps = axes[a].extent - 1;
      if (steps == 0) continue;
      if (axes[a].stride > (most - bytes) / steps) return most;
      bytes += axes[a].stride * steps;
    }
    return bytes;
  }
};

[[nodiscard]] inline strided_memory memory_of(const void* data, std::size_t row,
                                              std::array<strided_memory::axis, 3> axes) noexcept {
  for (strided_memory::axis& each : axes)
    if (each.extent == 1) each.stride = 0;
  std::sort(axes.begin(), axes.end(), [](const auto& a, const auto& b) { return a.stride < b.stride; });
  return {reinterpret_cast<std::uintptr_t>(data), row, axes};
}

template <class T>
[[nodiscard]] strided_memory memory_of(const head_tensor<T>& tensor) noexcept {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / sizeof(T);
  const auto bytes = [most](std::size_t elements) { return std::min(elements, most) * sizeof(T); };
  return memory_of(tensor.data, bytes(tensor.channels),
                   {strided_memory::axis{bytes(tensor.token_stride), tensor.tokens},
                    {bytes(tensor.head_stride), tensor.heads},
                    {bytes(tensor.batch_stride), tensor.batches}});
}

template <class T>
[[nodiscard]] strided_memory memory_of(const attention_span<T>& map) noexcept {
  return memory_of(map.data, map.keys * sizeof(T),
                   {strided_memory::axis{map.query_stride * sizeof(T), map.queries},
                    {map.head_stride * sizeof(T), map.heads},
                    {map.batch_stride * sizeof(T), map.batches}});
}

template <class T>
[[nodiscard]] strided_memory memory_of(std::span<T> list) noexcept {
  return memory_of(list.data(), list.size_bytes(), {{{0, 1}, {0, 1}, {0, 1}}});
}

/// Whether each axis steps over all that the inner ones span: no two rows then share a byte.
[[nodiscard]] inline bool keeps_rows_apart(const strided_memory& memory) noexcept {
  if (memory.empty()) return true;
  for (std::size_t a = 0; a < 3; ++a) {
    if (memory.axes[a].extent > 1 && memory.axes[a].stride < memory.span(a)) return false;
  }
  return true;
}

/// False only where no byte is in both. Beside memory that lies apart altogether this sees slots of one
/// buffer that alternate at a common distance (q, k, v and out of a token side by side, say).
[[nodiscard]] inline bool may_overlap(const strided_memory& a, const strided_memory& b) noexcept {
  if (a.empty() || b.empty()) return false;
  const std::size_t gap = a.begin <= b.begin ? b.begin - a.begin : a.begin - b.begin;
  if (gap >= (a.begin <= b.begin ? a : b).span(3)) return false;
  // Blocks of the inner axes, at distances that a number divides: they stay apart in every period if in one.
  for (std::size_t inner_a = 0; inner_a <= 3; ++inner_a) {
    for (std::size_t inner_b = 0; inner_b <= 3; ++inner_b) {
      std::size_t period = 0;
      for (std::size_t axis = inner_a; axis < 3; ++axis)
        period = std::gcd(period, a.axes[axis].stride);
      for (std::size_t axis = inner_b; axis < 3; ++axis)
        period = std::gcd(period, b.axes[axis].stride);
      if (period == 0) continue;  // whole against whole: seen above
      const std::size_t size_a = a.span(inner_a), size_b = b.span(inner_b);
      const std::size_t shift = gap % period;  // of the later one behind the earlier
      const std::size_t earlier = a.begin <= b.begin ? size_a : size_b;
      const std::size_t later = a.begin <= b.begin ? size_b : size_a;
      if (earlier <= shift && later <= period - shift) return false;
    }
  }
  return true;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
