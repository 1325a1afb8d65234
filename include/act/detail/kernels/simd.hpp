// What the kernels do with batches beside xsimd's own operations: sums and maxima of lanes, transposition,
// widening, prefetching; what xsimd 8.1 to 14 lack, do differently from each other, or not well. For the
// kernels. Not a wrapper: kernels use xsimd::batch directly for what all these versions share.
#pragma once

#include <act/detail/build.hpp>
#include <act/simd.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

/// For functions whose arrays of batches have to stay in registers of the caller.
#if defined(__GNUC__)
#define ACT_DETAIL_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define ACT_DETAIL_ALWAYS_INLINE inline
#endif

/// Between these two gcc 12 doesn't take the undefined operands of AVX-512 intrinsics for mistakes, though
/// they are inlined into a user's code and come through an xsimd that he has included himself (GCC bug
/// 105593). What is written between them is checked by clang.
#if defined(__GNUC__) && !defined(__clang__)
#define ACT_DETAIL_KERNELS_BEGIN                                                       \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wuninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
#define ACT_DETAIL_KERNELS_END _Pragma("GCC diagnostic pop")
#else
#define ACT_DETAIL_KERNELS_BEGIN
#define ACT_DETAIL_KERNELS_END
#endif

namespace act::inline ACT_ABI::inline ACT_BUILD::simd {
ACT_DETAIL_KERNELS_BEGIN

/// Asks for the cache line that is `ahead` elements after `at`, which may lie outside of any object.
template <class T>
inline void prefetch(const T* at, std::size_t ahead) noexcept {
#if defined(__GNUC__)
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(at) + ahead * sizeof(T)));
  __asm__ volatile("");  // gcc takes a function that does nothing else for one without effects
#else
  static_cast<void>(at), static_cast<void>(ahead);
#endif
}

#if defined(ACT_DETAIL_HAS_XSIMD)

/// Sum of all lanes: `hadd` until xsimd 9, `reduce_add` from then on.
template <class T, class Arch>
[[nodiscard]] inline T sum_lanes(const xsimd::batch<T, Arch>& values) noexcept {
#if XSIMD_VERSION_MAJOR >= 9
  return xsimd::reduce_add(values);
#else
#if defined(__AVX512F__) && !defined(__AVX512DQ__)
  if constexpr (std::is_same_v<T, float> && xsimd::batch<T, Arch>::size == 16) {  // xsimd 8 uses DQ here
    const __m512 all = values;
    const __m256 low = _mm512_castps512_ps256(all);
    const __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(all), 1));
    return xsimd::hadd(xsimd::batch<float, xsimd::avx>(_mm256_add_ps(high, low)));
  }
#endif
  return xsimd::hadd(values);
#endif
}

#if defined(__GNUC__)
/// What lane i of a step of sum_lanes_of_each comes from: in each unit of lanes the even chunks of x, then
/// those of y, whose lanes count from `Lanes` on.
template <std::size_t Unit, std::size_t Chunk, std::size_t Lanes>
[[nodiscard]] constexpr int even_chunk_lane(std::size_t i) noexcept {
  const std::size_t within = i % Unit, half = Unit / 2, of = within % half;
  const std::size_t lane = i - within + (of / Chunk) * 2 * Chunk + of % Chunk;
  return static_cast<int>(within < half ? lane : Lanes + lane);
}

/// Two registers become one, with half as many partial sums of each row.
template <std::size_t Unit, std::size_t Chunk, class Arch, class Register, std::size_t... I>
[[nodiscard]] inline Register fold(Register x, Register y, std::index_sequence<I...>) noexcept {
  return __builtin_shufflevector(x, y, even_chunk_lane<Unit, Chunk, sizeof...(I)>(I)...) +
         __builtin_shufflevector(x, y,
                                 even_chunk_lane<Unit, Chunk, sizeof...(I)>(I) + static_cast<int>(Chunk)...);
}
#endif

/// sums[r] = sum of all lanes of rows[r], for as many rows as there are lanes: the lanes of all rows are
/// crossed together, half as many registers after each step. (xsimd 8 can that too, but not with 16 lanes,
/// and mixes rows up in its doubles of AVX-512.)
template <class T, class Arch>
inline void sum_lanes_of_each(const xsimd::batch<T, Arch>* rows, T* sums) noexcept {
  constexpr std::size_t lanes = xsimd::batch<T, Arch>::size;
#if defined(__GNUC__)
  typedef T lanes_register __attribute__((vector_size(lanes * sizeof(T))));
  constexpr auto all = std::make_index_sequence<lanes>{};
  constexpr std::size_t quarter = 16 / sizeof(T);  // lanes that are crossed cheaply
  lanes_register left[lanes];
  static_assert(sizeof left == lanes * sizeof(rows[0]));
  std::memcpy(left, rows, sizeof left);
  std::size_t count = lanes;
  const auto halve = [&]<std::size_t Unit, std::size_t Chunk>() {
    count /= 2;
    for (std::size_t k = 0; k < count; ++k)
      left[k] = fold<Unit, Chunk, Arch>(left[2 * k], left[2 * k + 1], all);
  };
  if constexpr (quarter == 4) halve.template operator()<4, 2>();
  halve.template operator()<quarter, 1>();
  if constexpr (lanes >= 2 * quarter) halve.template operator()<lanes, quarter>();
  if constexpr (lanes >= 4 * quarter) halve.template operator()<lanes, quarter>();
  std::memcpy(sums, left, sizeof left[0]);
#else
  for (std::size_t r = 0; r < lanes; ++r)
    sums[r] = sum_lanes(rows[r]);
#endif
}

/// totals[k] += lane k, for all lanes, in double. xsimd 8 has no widening conversion, and gcc makes sixteen
/// scalar ones of a plain loop: column sums took half of their time here.
template <class T, class Arch>
inline void add_widened(const xsimd::batch<T, Arch>& values, double* totals) noexcept {
  using batch = xsimd::batch<T, Arch>;
  if constexpr (std::is_same_v<T, double>) {
    (batch::load_unaligned(totals) + values).store_unaligned(totals);
  } else {
#if defined(__AVX512F__)
    if constexpr (batch::size == 16) {  // of the loop below gcc makes three times as many instructions
      const __m512 narrow = values;
      const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(narrow));
      const __m512d high =
          _mm512_cvtps_pd(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(narrow), 1)));
      _mm512_storeu_pd(totals, _mm512_add_pd(_mm512_loadu_pd(totals), low));
      _mm512_storeu_pd(totals + 8, _mm512_add_pd(_mm512_loadu_pd(totals + 8), high));
      return;
    }
#endif
#if defined(__GNUC__)
    constexpr std::size_t wide = sizeof(batch) / sizeof(double);  // lanes of a register of doubles
    typedef float narrow_lanes __attribute__((vector_size(wide * sizeof(float))));
    typedef double wide_lanes __attribute__((vector_size(wide * sizeof(double))));
    narrow_lanes parts[batch::size / wide];
    static_assert(sizeof parts == sizeof(batch));
    std::memcpy(parts, &values, sizeof parts);
    for (std::size_t part = 0; part < batch::size / wide; ++part) {
      wide_lanes sum;
      std::memcpy(&sum, totals + part * wide, sizeof sum);
      sum += __builtin_convertvector(parts[part], wide_lanes);
      std::memcpy(totals + part * wide, &sum, sizeof sum);
    }
#else
    alignas(64) T narrow[batch::size];
    values.store_aligned(narrow);
    for (std::size_t k = 0; k < batch::size; ++k)
      totals[k] += static_cast<double>(narrow[k]);
#endif
  }
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)  // gcc 12, clang
#define ACT_DETAIL_HAS_SHUFFLE 1
#endif
#endif

/// The largest lane (xsimd 8 has no such reduction); any lane's number where one is NaN.
template <class T, class Arch>
[[nodiscard]] inline T largest_lane(const xsimd::batch<T, Arch>& values) noexcept {
  using batch = xsimd::batch<T, Arch>;
  constexpr std::size_t lanes = batch::size;
#if defined(ACT_DETAIL_HAS_SHUFFLE)
  typedef T vector_lanes __attribute__((vector_size(sizeof(batch))));
  vector_lanes all;
  std::memcpy(&all, &values, sizeof all);
  const auto fold = [&]<std::size_t Distance, std::size_t... Lane>(
      std::integral_constant<std::size_t, Distance>, std::index_sequence<Lane...>) {
    const vector_lanes other = __builtin_shufflevector(all, all, (Lane ^ Distance)...);
    all = all > other ? all : other;
  };
  const auto rounds = [&]<std::size_t... Round>(std::index_sequence<Round...>) {
    (fold(std::integral_constant<std::size_t, (lanes >> (Round + 1))>{}, std::make_index_sequence<lanes>{}),
     ...);
  };
  rounds(std::make_index_sequence<static_cast<std::size_t>(std::countr_zero(lanes))>{});
  return all[0];
#else
  alignas(64) T each[lanes];
  values.store_aligned(each);
  T largest = each[0];
  for (std::size_t k = 1; k < lanes; ++k)
    largest = each[k] > largest ? each[k] : largest;
  return largest;
#endif
}

/// Lane k of square[r] changes places with lane r of square[k], for as many batches as there are lanes: log2
/// of that many rounds, in which pairs of batches exchange halves, then quarters ... xsimd has a transpose
/// from version 9 on, and not for all types.
template <class T, class Arch>
inline void transpose(xsimd::batch<T, Arch>* square) noexcept {
  using batch = xsimd::batch<T, Arch>;
  constexpr std::size_t lanes = batch::size;
#if defined(ACT_DETAIL_HAS_SHUFFLE)
  typedef T vector_lanes __attribute__((vector_size(sizeof(batch))));
  static_assert(sizeof(vector_lanes) == sizeof(batch));
  vector_lanes rows[lanes];
  std::memcpy(rows, square, sizeof rows);
  const auto exchange = [&]<std::size_t Distance, std::size_t... Lane>(
      std::integral_constant<std::size_t, Distance>, std::index_sequence<Lane...>) {
    for (std::size_t r = 0; r < lanes; ++r) {
      if ((r & Distance) != 0) continue;
      const vector_lanes upper = rows[r], lower = rows[r + Distance];
      rows[r] =
          __builtin_shufflevector(upper, lower, ((Lane & Distance) == 0 ? Lane : Lane - Distance + lanes)...);
      rows[r + Distance] =
          __builtin_shufflevector(upper, lower, ((Lane & Distance) == 0 ? Lane + Distance : Lane + lanes)...);
    }
  };
  const auto rounds = [&]<std::size_t... Round>(std::index_sequence<Round...>) {
    (exchange(std::integral_constant<std::size_t, (lanes >> (Round + 1))>{},
              std::make_index_sequence<lanes>{}),
     ...);
  };
  rounds(std::make_index_sequence<static_cast<std::size_t>(std::countr_zero(lanes))>{});
  std::memcpy(square, rows, sizeof rows);
#else
  alignas(64) T numbers[lanes * lanes], turned[lanes * lanes];
  for (std::size_t r = 0; r < lanes; ++r)
    square[r].store_aligned(numbers + r * lanes);
  for (std::size_t r = 0; r < lanes; ++r) {
    for (std::size_t k = 0; k < lanes; ++k)
      turned[k * lanes + r] = numbers[r * lanes + k];
  }
  for (std::size_t r = 0; r < lanes; ++r)
    square[r] = batch::load_aligned(turned + r * lanes);
#endif
}

/// As many numbers (float, std::int32_t) from `at` on as there are lanes of doubles. xsimd 8 has no widening
/// conversion, and gcc makes scalar ones of a plain loop, two half ones of its own where AVX-512 has one.
template <class Arch, class Narrow>
[[nodiscard]] inline xsimd::batch<double, Arch> widened(const Narrow* at) noexcept {
  using batch = xsimd::batch<double, Arch>;
#if defined(__AVX512F__)
  constexpr __mmask8 all = 0xff;  // the masked forms, as in batch_access.hpp
  if constexpr (batch::size == 8 && std::is_same_v<Narrow, float>) {
    return batch(_mm512_maskz_cvtps_pd(all, _mm256_loadu_ps(at)));
  } else if constexpr (batch::size == 8 && std::is_same_v<Narrow, std::int32_t>) {
    return batch(_mm512_maskz_cvtepi32_pd(all, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))));
  }
#endif
#if defined(__GNUC__)
  typedef Narrow narrow_lanes __attribute__((vector_size(batch::size * sizeof(Narrow))));
  typedef double wide_lanes __attribute__((vector_size(batch::size * sizeof(double))));
  narrow_lanes narrow;
  std::memcpy(&narrow, at, sizeof narrow);
  const wide_lanes wide = __builtin_convertvector(narrow, wide_lanes);
  batch values;
  static_assert(sizeof values == sizeof wide);
  std::memcpy(&values, &wide, sizeof wide);
  return values;
#else
  alignas(64) double wide[batch::size];
  for (std::size_t k = 0; k < batch::size; ++k)
    wide[k] = static_cast<double>(at[k]);
  return batch::load_aligned(wide);
#endif
}

/// 0, 1, 2 ... in the lanes.
template <class T, class Arch>
[[nodiscard]] inline xsimd::batch<T, Arch> lane_numbers() noexcept {
  constexpr std::size_t lanes = xsimd::batch<T, Arch>::size;
  alignas(64) T numbers[lanes];
  for (std::size_t k = 0; k < lanes; ++k)
    numbers[k] = static_cast<T>(k);
  return xsimd::batch<T, Arch>::load_aligned(numbers);
}

#endif

ACT_DETAIL_KERNELS_END
}  // namespace act::inline ACT_ABI::inline ACT_BUILD::simd
