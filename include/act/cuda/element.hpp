// How kernels read and write elements: float, and two 16-bit types as act::float16 and act::bfloat16 store
// them (which is how CUDA's own __half and __nv_bfloat16 do). A piece of a row is what one thread moves at
// once: 16 bytes where the layout allows it, one element where not.
#pragma once

#include <act/cuda/visibility.hpp>
#include <act/detail/rules/host_device.hpp>
#include <act/half.hpp>
#include <act/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace act::inline ACT_ABI::cuda::detail {

ACT_DEVICE inline float widen(float stored) noexcept {
  return stored;
}
ACT_DEVICE inline void narrow(float value, float& stored) noexcept {
  stored = value;
}

#if defined(__CUDACC__)
ACT_DEVICE inline float widen(float16 stored) noexcept {
  return __half2float(__ushort_as_half(stored.bits));
}
ACT_DEVICE inline float widen(bfloat16 stored) noexcept {
  return __uint_as_float(std::uint32_t{stored.bits} << 16);
}
ACT_DEVICE inline void narrow(float value, float16& stored) noexcept {
  stored.bits = __half_as_ushort(__float2half_rn(value));
}
ACT_DEVICE inline void narrow(float value, bfloat16& stored) noexcept {
  stored.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
#else
inline float widen(float16 stored) noexcept {
  return stored;
}
inline float widen(bfloat16 stored) noexcept {
  return stored;
}
inline void narrow(float value, float16& stored) noexcept {
  stored = float16(value);
}
inline void narrow(float value, bfloat16& stored) noexcept {
  stored = bfloat16(value);
}
#endif

/// The bits of two neighbours of 16 bits, the first one lowest: on a device one instruction rounds both.
template <class Half>
ACT_DEVICE inline std::uint32_t narrow_both(float first, float second) noexcept {
#if defined(__CUDACC__)
  if constexpr (std::is_same_v<Half, float16>) {
    const __half2 both = __floats2half2_rn(first, second);
    return std::uint32_t{__half_as_ushort(__high2half(both))} << 16 | __half_as_ushort(__low2half(both));
  } else {
    const __nv_bfloat162 both = __floats2bfloat162_rn(first, second);
    return std::uint32_t{__bfloat16_as_ushort(__high2bfloat16(both))} << 16 |
           __bfloat16_as_ushort(__low2bfloat16(both));
  }
#else
  return std::uint32_t{Half(second).bits} << 16 | Half(first).bits;
#endif
}

/// The bits of an element.
ACT_DEVICE inline std::uint32_t bits_of(float stored) noexcept {
#if defined(__CUDACC__)
  return __float_as_uint(stored);
#else
  return std::bit_cast<std::uint32_t>(stored);
#endif
}
template <class Half>
ACT_DEVICE inline std::uint32_t bits_of(Half stored) noexcept {
  return stored.bits;
}
ACT_DEVICE inline void set_bits(std::uint32_t bits, float& stored) noexcept {
#if defined(__CUDACC__)
  stored = __uint_as_float(bits);
#else
  stored = std::bit_cast<float>(bits);
#endif
}
template <class Half>
ACT_DEVICE inline void set_bits(std::uint32_t bits, Half& stored) noexcept {
  stored.bits = static_cast<std::uint16_t>(bits);
}

/// `Width` neighbouring elements as they lie in memory, loaded and stored as one. Width is a power of two.
/// Kept in words of 32 bits, however small the elements: taken apart at once, a piece has to have arrived
/// before the next one's load begins.
template <class T, int Width>
struct alignas(sizeof(T) * Width) piece {
  using word = std::conditional_t<sizeof(T) * Width % 4 == 0, std::uint32_t, std::uint16_t>;
  static constexpr int a_word = static_cast<int>(sizeof(word) / sizeof(T));  // elements
  static constexpr int element_bits = 8 * static_cast<int>(sizeof(T));

  word words[Width / a_word];

  ACT_DEVICE float at(int e) const noexcept {
    T stored;
    set_bits(std::uint32_t{words[e / a_word]} >> e % a_word * element_bits, stored);
    return widen(stored);
  }
  /// Elements become value(e).
  template <class Value>
  ACT_DEVICE void fill(Value&& value) noexcept {
    ACT_UNROLL
    for (int w = 0; w < Width / a_word; ++w) {
      if constexpr (a_word == 2) {
        words[w] = narrow_both<T>(value(2 * w), value(2 * w + 1));
      } else {
        T stored;
        narrow(value(w), stored);
        words[w] = static_cast<word>(bits_of(stored));
      }
    }
  }
  /// Elements become 0, those in `seen` apart; the first one is `first`.
  ACT_DEVICE void keep(int first, range seen) noexcept {
    if (first >= seen.begin && first + Width <= seen.end) return;
    constexpr std::uint32_t element = ~std::uint32_t{0} >> (32 - element_bits);
    ACT_UNROLL
    for (int e = 0; e < Width; ++e) {
      if (!seen.contains(first + e))
        words[e / a_word] &= static_cast<word>(~(element << e % a_word * element_bits));
    }
  }
  ACT_DEVICE T element(int e) const noexcept {
    T stored;
    set_bits(std::uint32_t{words[e / a_word]} >> e % a_word * element_bits, stored);
    return stored;
  }
};

/// Elements that 16 bytes hold.
template <class T>
inline constexpr int full_width = static_cast<int>(16 / sizeof(T));

/// Elements first .. first + Width of `row`, all of which may be read; not read when none is in `seen`. Those
/// outside may be anything: keep() clears them, once other loads have begun.
template <class T, int Width>
ACT_DEVICE inline piece<T, Width> load_piece(const T* row, int first, range seen) noexcept {
  piece<T, Width> loaded{};
  if (first < seen.end && first + Width > seen.begin) {
#if defined(__CUDACC__)
    loaded = *reinterpret_cast<const piece<T, Width>*>(row + first);
#else
    std::memcpy(&loaded, row + first, sizeof loaded);
#endif
  }
  return loaded;
}

/// The same where no more than the elements in `seen` may be read: at the end of a row whose length isn't a
/// multiple of Width.
template <class T, int Width>
ACT_DEVICE inline piece<T, Width> load_elements(const T* row, int first, range seen) noexcept {
  using whole = piece<T, Width>;
  whole loaded{};
  ACT_UNROLL
  for (int e = 0; e < Width; ++e) {
    if (seen.contains(first + e)) {
      loaded.words[e / whole::a_word] |= static_cast<typename whole::word>(
          bits_of(row[first + e]) << e % whole::a_word * whole::element_bits);
    }
  }
  return loaded;
}

/// Writes what of the piece lies in `seen`.
template <class T, int Width>
ACT_DEVICE inline void store_piece(T* row, int first, range seen, const piece<T, Width>& stored) noexcept {
  if (first >= seen.begin && first + Width <= seen.end) {
#if defined(__CUDACC__)
    *reinterpret_cast<piece<T, Width>*>(row + first) = stored;
#else
    std::memcpy(static_cast<void*>(row + first), &stored, sizeof stored);
#endif
    return;
  }
  ACT_UNROLL
  for (int e = 0; e < Width; ++e) {
    if (seen.contains(first + e)) row[first + e] = stored.element(e);
  }
}

/// Whether pieces of `Width` elements lie on their own alignment in every row of a layout.
template <class T, int Width>
[[nodiscard]] inline bool lies_aligned(const T* data, std::size_t stride_a, std::size_t stride_b,
                                       std::size_t stride_c) noexcept {
  constexpr std::size_t width = Width;
  return reinterpret_cast<std::uintptr_t>(data) % (width * sizeof(T)) == 0 && stride_a % width == 0 &&
         stride_b % width == 0 && stride_c % width == 0;
}

}  // namespace act::inline ACT_ABI::cuda::detail
