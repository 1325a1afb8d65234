// Instruction sets: which one this translation unit is compiled for, and the names by which calls ask for
// another. `Arch`, the last template parameter of everything in act that touches batches, is one of xsimd's
// or act::simd::scalar. For callers who choose; the default is right for all others. The only header that
// includes xsimd.
#pragma once

#include <act/detail/build.hpp>

#include <type_traits>

#if defined(ACT_DETAIL_HAS_XSIMD)
// xsimd 8.1 itself doesn't pass -Wconversion and -Wshadow. And gcc 12 takes the undefined operand of most
// AVX-512 intrinsics for a mistake (GCC bug 105593) wherever these are inlined, which is into users' code.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif

namespace act::inline ACT_ABI::inline ACT_BUILD::simd {

/// The plain C++ kernels: the oracle of the vectorised ones, and all there is without xsimd.
struct scalar {};

#if defined(ACT_DETAIL_HAS_XSIMD)

/// Can batches of T be computed with on Arch?
template <class T, class Arch>
inline constexpr bool vectorised = xsimd::types::has_simd_register<T, Arch>::value;
/// The plain kernels have no batches.
template <class T>
inline constexpr bool vectorised<T, scalar> = false;

/// The best instruction set that this translation unit is compiled for; scalar where there is none.
using default_arch = std::conditional_t<xsimd::types::has_simd_register<float, xsimd::default_arch>::value,
                                        xsimd::default_arch, scalar>;

#else

/// Can batches of T be computed with on Arch? Without xsimd none can.
template <class T, class Arch>
inline constexpr bool vectorised = false;

/// Without xsimd: the plain kernels.
using default_arch = scalar;

#endif

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::simd
