// How batches of the accumulator type are read from and written to rows of any element type: directly where
// the element is the accumulator, through the processor's conversions where it has them, element by element
// otherwise. For the SIMD kernels. Every path gives the bits of element_traits' own load and store.
#pragma once

#include <act/detail/build.hpp>
#include <act/detail/kernels/simd.hpp>
#include <act/element.hpp>
#include <act/half.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <type_traits>

#if defined(ACT_DETAIL_HAS_XSIMD)
#if defined(__F16C__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {
ACT_DETAIL_KERNELS_BEGIN

#if defined(__AVX512F__)
// The masked forms, with no lane masked: gcc 12 warns about the undefined source operand of the plain ones.
inline constexpr __mmask16 all_lanes = 0xffff;
#endif

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define ACT_DETAIL_MASKED_HALVES 1  // sixteen of them are loaded and stored under a mask
#endif

/// Whose bits an element has: an engine's own type may say so (stored_as).
template <class T>
struct layout_of {
  using type = T;
};
template <class T>
requires requires {
  typename element_traits<T>::layout;
}
struct layout_of<T> {
  using type = typename element_traits<T>::layout;
};

template <class T, class Arch>
struct batch_access {
  using layout = typename layout_of<T>::type;
  using accumulator = accumulator_t<T>;
  using batch = xsimd::batch<accumulator, Arch>;
  static constexpr std::size_t lanes = batch::size;

  [[nodiscard]] static batch load(const T* at) noexcept {
    if constexpr (std::is_same_v<T, accumulator>) {
      return batch::load_unaligned(at);
    } else {
#if defined(__F16C__)
      if constexpr (std::is_same_v<layout, float16> && lanes == 8) {
        return batch(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
      }
#endif
#if defined(__AVX2__)
      if constexpr (std::is_same_v<layout, bfloat16> && lanes == 8) {
        const __m128i stored = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        return batch(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(stored), 16)));
      }
#endif
#if defined(__AVX512F__)
      if constexpr (sixteen_halves) return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
#endif
      alignas(64) accumulator wide[lanes];
      for (std::size_t k = 0; k < lanes; ++k)
        wide[k] = element_traits<T>::load(at[k]);
      return batch::load_aligned(wide);
    }
  }

  static void store(const batch& values, T* at) noexcept {
    if constexpr (std::is_same_v<T, accumulator>) {
      values.store_unaligned(at);
    } else {
#if defined(__F16C__)
      if constexpr (std::is_same_v<layout, float16> && lanes == 8) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
        return;
      }
#endif
#if defined(__AVX512F__)
      if constexpr (sixteen_halves) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), narrowed(values));
        return;
      }
#endif
      alignas(64) accumulator wide[lanes];
      values.store_aligned(wide);
      for (std::size_t k = 0; k < lanes; ++k)
        at[k] = element_traits<T>::store(wide[k]);
    }
  }

  /// load() of the first `count` lanes, at most all, and 0 in the others; what lies after them isn't read.
  [[nodiscard]] static batch load_first(const T* at, std::size_t count) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && lanes == 16) {
      return batch(_mm512_maskz_loadu_ps(first_lanes(count), at));
    }
#endif
#if defined(ACT_DETAIL_MASKED_HALVES)
    if constexpr (sixteen_halves) return widened(_mm256_maskz_loadu_epi16(first_lanes(count), at));
#endif
    T each[lanes];
    std::fill_n(each, lanes, element_traits<T>::store(0));  // an engine's T{} may be anything
    for (std::size_t k = 0; k < count; ++k)
      each[k] = at[k];
    return load(each);
  }

  /// store() of the first `count` lanes; what lies after them isn't written.
  static void store_first(const batch& values, T* at, std::size_t count) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && lanes == 16) {
      _mm512_mask_storeu_ps(at, first_lanes(count), values);
      return;
    }
#endif
#if defined(ACT_DETAIL_MASKED_HALVES)
    if constexpr (sixteen_halves) {
      _mm256_mask_storeu_epi16(at, first_lanes(count), narrowed(values));
      return;
    }
#endif
    T each[lanes];
    store(values, each);
    for (std::size_t k = 0; k < count; ++k)
      at[k] = each[k];
  }

 private:
#if defined(__AVX512F__)
  static constexpr bool sixteen_halves =
      lanes == 16 && (std::is_same_v<layout, float16> || std::is_same_v<layout, bfloat16>);

  [[nodiscard]] static __mmask16 first_lanes(std::size_t count) noexcept {
    return static_cast<__mmask16>((1U << count) - 1U);
  }

  [[nodiscard]] static batch widened(__m256i stored) noexcept {
    if constexpr (std::is_same_v<layout, float16>) {
      return batch(_mm512_maskz_cvtph_ps(all_lanes, stored));
    } else {
      return batch(_mm512_castsi512_ps(
          _mm512_maskz_slli_epi32(all_lanes, _mm512_maskz_cvtepu16_epi32(all_lanes, stored), 16)));
    }
  }

  [[nodiscard]] static __m256i narrowed(const batch& values) noexcept {
    if constexpr (std::is_same_v<layout, float16>) {
      return _mm512_maskz_cvtps_ph(all_lanes, values, _MM_FROUND_TO_NEAREST_INT);
    } else {
#if defined(__AVX512BF16__) && defined(__AVX512DQ__)
      constexpr int subnormal = 0x20;  // which the conversion would make 0
      if (_mm512_fpclass_ps_mask(values, subnormal) == 0) {
        return std::bit_cast<__m256i>(_mm512_maskz_cvtneps_pbh(all_lanes, values));
      }
#endif
      alignas(64) accumulator wide[lanes];
      alignas(32) T each[lanes];
      values.store_aligned(wide);
      for (std::size_t k = 0; k < lanes; ++k)
        each[k] = element_traits<T>::store(wide[k]);
      return _mm256_load_si256(reinterpret_cast<const __m256i*>(each));
    }
  }
#endif
};

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
#endif
