// Rows of any element type as the fused kernels read them: a batch, or one number where there are no batches,
// of the accumulator type. For kernels written once for SIMD and scalar builds (lane_operations.hpp).
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/batch_access.hpp>
#include <act/detail/kernels/lane_operations.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>
#include <act/simd.hpp>

#include <cstddef>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

template <class T, class Arch>
struct element_lanes {
  using A = accumulator_t<T>;
  using op = lane_operations<A, Arch>;
  using batch = typename op::batch;

  [[nodiscard]] static batch load(const T* at) noexcept {
#if defined(ACT_DETAIL_HAS_XSIMD)
    if constexpr (simd::vectorised<A, Arch>) {
      return batch_access<T, Arch>::load(at);
    } else
#endif
    {
      return element_traits<T>::load(*at);
    }
  }

  static void store(const batch& values, T* at) noexcept {
#if defined(ACT_DETAIL_HAS_XSIMD)
    if constexpr (simd::vectorised<A, Arch>) {
      batch_access<T, Arch>::store(values, at);
    } else
#endif
    {
      *at = element_traits<T>::store(values);
    }
  }

  /// One lane leaves no tail; gcc 12 at -O1 warns of the loop that would do nothing.
  static constexpr bool has_tail = op::lanes > 1;

  /// to[k] = from[k] * factor, rounded to T, `count` of them.
  static void scale(const A* from, A factor, std::size_t count, T* to) noexcept {
    const batch by(factor);
    std::size_t k = 0;
    for (; k + op::lanes <= count; k += op::lanes)
      store(op::load(from + k) * by, to + k);
    for (; has_tail && k < count; ++k)
      to[k] = element_traits<T>::store(from[k] * factor);
  }
  /// to[k] = from[k] * factor in the accumulator type.
  static void widen(const T* from, A factor, std::size_t count, A* to) noexcept {
    const batch by(factor);
    std::size_t k = 0;
    for (; k + op::lanes <= count; k += op::lanes)
      op::store(load(from + k) * by, to + k);
    for (; has_tail && k < count; ++k)
      to[k] = element_traits<T>::load(from[k]) * factor;
  }

  /// Sum of left[k] * right[k].
  [[nodiscard]] static A dot(const A* left, const T* right, std::size_t count) noexcept {
    batch low(A(0)), high(A(0));  // two chains: one multiply-add waits four cycles for the one before it
    std::size_t k = 0;
    for (; k + 2 * op::lanes <= count; k += 2 * op::lanes) {
      low = op::fma(op::load(left + k), load(right + k), low);
      high = op::fma(op::load(left + k + op::lanes), load(right + k + op::lanes), high);
    }
    if (k + op::lanes <= count) {
      low = op::fma(op::load(left + k), load(right + k), low);
      k += op::lanes;
    }
    A total = op::sum(low + high);
    for (; has_tail && k < count; ++k)
      total += left[k] * element_traits<T>::load(right[k]);
    return total;
  }
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
