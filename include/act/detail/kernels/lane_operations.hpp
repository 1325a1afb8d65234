// Batches, or single numbers where there are none, behind one set of operations: kernels that need no more
// than these are written once for SIMD and scalar builds. Not a SIMD library: what the row kernels need
// beyond, they take from xsimd themselves.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/simd.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

/// Whether the processor multiplies and adds in one rounding. Compilers then make that of some sums and not
/// of others: where a number has to come out the same in every loop, it's asked for.
#if defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF)
inline constexpr bool has_fast_fma = true;
#else
inline constexpr bool has_fast_fma = false;
#endif

/// One lane, plain C++.
template <class A, class Arch, bool Vectorised = simd::vectorised<A, Arch>>
struct lane_operations {
  using batch = A;
  static constexpr std::size_t lanes = 1;
  [[nodiscard]] static A load(const A* at) noexcept { return *at; }
  static void store(A values, A* at) noexcept { *at = values; }
  [[nodiscard]] static A fma(A a, A b, A c) noexcept { return has_fast_fma ? std::fma(a, b, c) : a * b + c; }
  [[nodiscard]] static A max(A a, A b) noexcept { return a > b ? a : b; }
  [[nodiscard]] static A exp(A a) noexcept { return std::exp(a); }
  [[nodiscard]] static A sum(A a) noexcept { return a; }
  [[nodiscard]] static A largest(A a) noexcept { return a; }
  static void add_widened(A values, double* totals) noexcept { *totals += static_cast<double>(values); }
  static void transpose(A*) noexcept {}
  // What a comparison gives, for as many lanes.
  using mask = bool;
  [[nodiscard]] static bool over(A a, A b) noexcept { return a > b; }
  [[nodiscard]] static bool either(bool a, bool b) noexcept { return a || b; }
  [[nodiscard]] static bool any(bool a) noexcept { return a; }
  [[nodiscard]] static A select(bool which, A yes, A no) noexcept { return which ? yes : no; }
  template <class Narrow>
  [[nodiscard]] static A widened(const Narrow* at) noexcept requires std::is_same_v<A, double> {
    return static_cast<double>(*at);
  }
};

#if defined(ACT_DETAIL_HAS_XSIMD)
template <class A, class Arch>
struct lane_operations<A, Arch, true> {
  using batch = xsimd::batch<A, Arch>;
  static constexpr std::size_t lanes = batch::size;
  [[nodiscard]] static batch load(const A* at) noexcept { return batch::load_unaligned(at); }
  static void store(const batch& values, A* at) noexcept { values.store_unaligned(at); }
  [[nodiscard]] static batch fma(const batch& a, const batch& b, const batch& c) noexcept {
    return xsimd::fma(a, b, c);
  }
  [[nodiscard]] static batch max(const batch& a, const batch& b) noexcept { return xsimd::max(a, b); }
  /// Masked scores are -infinity, which xsimd 8 would convert to an integer on its way to 0 (undefined for
  /// double without AVX-512's own conversion); -1000 gives the same 0. NaN stays NaN.
  [[nodiscard]] static batch exp(const batch& a) noexcept {
    const batch least(A(-1000));
    return xsimd::exp(xsimd::select(a < least, least, a));
  }
  [[nodiscard]] static A sum(const batch& a) noexcept { return simd::sum_lanes(a); }
  static void add_widened(const batch& values, double* totals) noexcept { simd::add_widened(values, totals); }
  /// Lane k of square[r] changes places with lane r of square[k], for `lanes` batches.
  static void transpose(batch* square) noexcept { simd::transpose(square); }
  [[nodiscard]] static A largest(const batch& a) noexcept { return simd::largest_lane(a); }
  using mask = typename batch::batch_bool_type;
  [[nodiscard]] static mask over(const batch& a, const batch& b) noexcept { return a > b; }
  [[nodiscard]] static mask either(const mask& a, const mask& b) noexcept { return a | b; }
  [[nodiscard]] static bool any(const mask& a) noexcept { return xsimd::any(a); }
  [[nodiscard]] static batch select(const mask& which, const batch& yes, const batch& no) noexcept {
    return xsimd::select(which, yes, no);
  }
  template <class Narrow>
  [[nodiscard]] static batch widened(const Narrow* at) noexcept requires std::is_same_v<A, double> {
    return simd::widened<Arch>(at);
  }
};
#endif

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
