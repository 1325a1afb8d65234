// How kernels read and write elements: float, and two 16-bit types as act::float16 and act::bfloat16 store
// them (which is how CUDA's own __half and __nv_bfloat16 do). A piece of a row is what one thread moves at
// once: 16 bytes where the layout allows it, one element where not.
#pragma once

#include <act/cuda/host_device.hpp>
#include <act/cuda/visibility.hpp>
#include <act/half.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

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

/// `Width` neighbouring elements, loaded and stored as one where all of them may be touched. Width is a power
/// of two.
template <class T, int Width>
struct alignas(sizeof(T) * Width) piece {
  T at[Width];
};

/// Elements that 16 bytes hold.
template <class T>
inline constexpr int full_width = static_cast<int>(16 / sizeof(T));

/// Elements first .. first + Width of `row`; those outside `seen` aren't read and become 0.
template <class T, int Width>
ACT_DEVICE inline piece<T, Width> load_piece(const T* row, int first, range seen) noexcept {
  using whole = piece<T, Width>;
  if (first >= seen.begin && first + Width <= seen.end) {
    return *reinterpret_cast<const whole*>(row + first);
  }
  whole loaded;
  ACT_UNROLL
  for (int e = 0; e < Width; ++e) {
    if (seen.contains(first + e)) {
      loaded.at[e] = row[first + e];
    } else {
      narrow(0.0F, loaded.at[e]);
    }
  }
  return loaded;
}

/// Writes what of the piece lies in `seen`.
template <class T, int Width>
ACT_DEVICE inline void store_piece(T* row, int first, range seen, const piece<T, Width>& stored) noexcept {
  if (first >= seen.begin && first + Width <= seen.end) {
    *reinterpret_cast<piece<T, Width>*>(row + first) = stored;
    return;
  }
  ACT_UNROLL
  for (int e = 0; e < Width; ++e) {
    if (seen.contains(first + e)) row[first + e] = stored.at[e];
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
