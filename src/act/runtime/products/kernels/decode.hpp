// Stored numbers to floats, 16 at a time in a register: what quantization.hpp computes, to the bit.
//
// A decoder names its block and calls use(i, values) for i = 0, 1, ...: numbers 16 i .. 16 i + 15 of the
// block.
#pragma once

#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/products/kernels/vectors.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace act::runtime {
namespace {

ACT_INLINE float16s to_floats(const int16s& x) noexcept {
  return __builtin_convertvector(x, float16s);
}
// g++ 12 takes the conversion apart where the bytes come straight from memory.
ACT_INLINE int16s to_ints(const byte16s& x) noexcept {
#if defined(__AVX512F__)
  return (int16s)_mm512_cvtepu8_epi32((__m128i)x);
#else
  return __builtin_convertvector(x, int16s);
#endif
}
ACT_INLINE float16s splat(float x) noexcept {
  return float16s{} + x;
}

/// Sixteen signed bytes as floats.
ACT_INLINE float16s signed_bytes(const std::byte* from) noexcept {
#if defined(__AVX512F__)
  return to_floats((int16s)_mm512_cvtepi8_epi32(load<__m128i>(from)));
#else
  // g++ 12 takes a vector of signed bytes apart to widen it, not one of unsigned ones.
  return to_floats(to_ints(load<byte16s>(from) ^ 0x80) - 128);
#endif
}

/// What four-bit numbers stand for: (number - zero) x scale + minimum. Two are packed in a byte.
class nibble_values {
 public:
  ACT_INLINE nibble_values(float scale, std::int32_t zero, float minimum) noexcept {
#if defined(__AVX512F__)
    constexpr int16s number{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    of_ = to_floats(number - zero) * scale + minimum;
#else
    scale_ = scale, zero_ = zero, minimum_ = minimum;
#endif
  }

  /// Of the low halves of sixteen bytes, as integers.
  [[nodiscard]] ACT_INLINE float16s low(const int16s& packed) const noexcept {
#if defined(__AVX512F__)
    // All sixteen values once, then one permutation a vector, which looks at its indices' lowest four bits
    // alone.
    return (float16s)_mm512_permutexvar_ps((__m512i)packed, (__m512)of_);
#else
    return to_floats((packed & 0x0f) - zero_) * scale_ + minimum_;
#endif
  }
  [[nodiscard]] ACT_INLINE float16s high(const int16s& packed) const noexcept {
    return low(packed >> 4);
  }

 private:
#if defined(__AVX512F__)
  float16s of_;
#else
  float scale_, minimum_;
  std::int32_t zero_;
#endif
};

// A minimum of -0 leaves every sum as it is, signed zeros included.
inline constexpr float no_minimum = -0.0F;

// Finite halves: the loader has refused others. Subnormal ones are numbers that a multiplication makes
// normal.
ACT_INLINE float half_at(const std::byte* from) noexcept {
#if defined(__F16C__)
  return _cvtsh_ss(load<std::uint16_t>(from));
#else
  const auto half = load<std::uint16_t>(from);
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7fffu) << 13;
  const auto value = __builtin_bit_cast(float, magnitude) * 0x1p112F;
  return __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, value) | (half & 0x8000u) << 16);
#endif
}

ACT_INLINE float16s halves_at(const std::byte* from) noexcept {
#if defined(__AVX512F__)
  return load<float16s>(&static_cast<const __m512&>(_mm512_cvtph_ps(load<__m256i>(from))));
#elif defined(__F16C__)
  float16s out;
  store(&out, _mm256_cvtph_ps(load<__m128i>(from)));
  store(reinterpret_cast<std::byte*>(&out) + 32, _mm256_cvtph_ps(load<__m128i>(from + 16)));
  return out;
#else
  const word16s half = __builtin_convertvector(load<short16s>(from), word16s);
  const float16s magnitude = __builtin_bit_cast(float16s, (half & 0x7fffu) << 13) * 0x1p112F;
  return __builtin_bit_cast(float16s, __builtin_bit_cast(word16s, magnitude) | (half & 0x8000u) << 16);
#endif
}

struct decode_f32 {
  static constexpr std::size_t numbers = 16, bytes = 64;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, load<float16s>(block));
  }
};

struct decode_f16 {
  static constexpr std::size_t numbers = 16, bytes = 32;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, halves_at(block));
  }
};

struct decode_bf16 {
  static constexpr std::size_t numbers = 16, bytes = 32;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    use(0, __builtin_bit_cast(float16s, __builtin_convertvector(load<short16s>(block), word16s) << 16));
  }
};

struct decode_q8_0 {
  static constexpr std::size_t numbers = 32, bytes = 34;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const float scale = half_at(block);
    use(0, signed_bytes(block + 2) * scale);
    use(1, signed_bytes(block + 18) * scale);
  }
};

struct decode_q4_0 {
  static constexpr std::size_t numbers = 32, bytes = 18;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const nibble_values values(half_at(block), 8, no_minimum);
    const int16s packed = to_ints(load<byte16s>(block + 2));
    use(0, values.low(packed));
    use(1, values.high(packed));
  }
};

struct decode_q4_1 {
  static constexpr std::size_t numbers = 32, bytes = 20;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const nibble_values values(half_at(block), 0, half_at(block + 2));
    const int16s packed = to_ints(load<byte16s>(block + 4));
    use(0, values.low(packed));
    use(1, values.high(packed));
  }
};

// Bit i of `bits` as 16 in lane i.
ACT_INLINE int16s fifth_bits(std::uint32_t bits) noexcept {
  constexpr word16s place{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return __builtin_bit_cast(int16s, ((word16s{} + bits) >> place & 1u) << 4);
}

struct decode_q5_0 {
  static constexpr std::size_t numbers = 32, bytes = 22;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const float scale = half_at(block);
    const auto high = load<std::uint32_t>(block + 2);
    const auto packed = load<byte16s>(block + 6);
    use(0, to_floats((to_ints(packed & 0x0f) | fifth_bits(high)) - 16) * scale);
    use(1, to_floats((to_ints(packed >> 4) | fifth_bits(high >> 16)) - 16) * scale);
  }
};

struct decode_q5_1 {
  static constexpr std::size_t numbers = 32, bytes = 24;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const float scale = half_at(block);
    const float16s minimum = splat(half_at(block + 2));
    const auto high = load<std::uint32_t>(block + 4);
    const auto packed = load<byte16s>(block + 8);
    use(0, to_floats(to_ints(packed & 0x0f) | fifth_bits(high)) * scale + minimum);
    use(1, to_floats(to_ints(packed >> 4) | fifth_bits(high >> 16)) * scale + minimum);
  }
};

// Q4_K and Q5_K: six-bit scale and minimum of group `i` of 32 (k_quants.cpp has their layout).
struct group_of_32 {
  float scale, minimum;

  ACT_INLINE group_of_32(const std::byte* block, std::size_t i) noexcept {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(block[4 + at]); };
    const std::uint32_t s = i < 4 ? byte(i) & 0x3f : (byte(i + 4) & 0x0f) | (byte(i - 4) >> 2 & 0x30);
    const std::uint32_t m = i < 4 ? byte(i + 4) & 0x3f : byte(i + 4) >> 4 | (byte(i) >> 2 & 0x30);
    scale = half_at(block) * static_cast<float>(static_cast<std::int32_t>(s));
    minimum = half_at(block + 2) * static_cast<float>(static_cast<std::int32_t>(m));
  }
};

struct decode_q4_k {
  static constexpr std::size_t numbers = 256, bytes = 144;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const group_of_32 low(block, 2 * pair), high(block, 2 * pair + 1);
      const nibble_values low_values(low.scale, 0, -low.minimum), high_values(high.scale, 0, -high.minimum);
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half) {
        const int16s packed = to_ints(load<byte16s>(block + 16 + 32 * pair + 16 * half));
        use(4 * pair + half, low_values.low(packed));
        use(4 * pair + 2 + half, high_values.high(packed));
      }
    }
  }
};

struct decode_q5_k {
  static constexpr std::size_t numbers = 256, bytes = 176;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
#pragma GCC unroll 4
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const group_of_32 low(block, 2 * pair), high(block, 2 * pair + 1);
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half) {
        const auto packed = load<byte16s>(block + 48 + 32 * pair + 16 * half);
        const auto fifths = load<byte16s>(block + 16 + 16 * half) >> static_cast<std::uint8_t>(2 * pair);
        use(4 * pair + half,
            to_floats(to_ints((packed & 0x0f) | (fifths & 1) << 4)) * low.scale - low.minimum);
        use(4 * pair + 2 + half,
            to_floats(to_ints(packed >> 4 | (fifths >> 1 & 1) << 4)) * high.scale - high.minimum);
      }
    }
  }
};

struct decode_q6_k {
  static constexpr std::size_t numbers = 256, bytes = 210;
  template <class Use>
  ACT_INLINE static void run(const std::byte* block, Use&& use) noexcept {
    const float of_scales = half_at(block + 208);
    const auto scale = [&](std::size_t group) {
      return of_scales * static_cast<float>(static_cast<std::int8_t>(block[192 + group]));
    };
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
#pragma GCC unroll 2
      for (std::size_t part = 0; part < 2; ++part) {
        const auto low = load<byte16s>(block + 64 * half + 16 * part);
        const auto low2 = load<byte16s>(block + 64 * half + 16 * part + 32);
        const auto high = load<byte16s>(block + 128 + 32 * half + 16 * part);
        const std::size_t i = 8 * half + part;
        use(i, to_floats(to_ints((low & 0x0f) | (high & 3) << 4) - 32) * scale(i));
        use(i + 2, to_floats(to_ints((low2 & 0x0f) | (high >> 2 & 3) << 4) - 32) * scale(i + 2));
        use(i + 4, to_floats(to_ints(low >> 4 | (high >> 4 & 3) << 4) - 32) * scale(i + 4));
        use(i + 6, to_floats(to_ints(low2 >> 4 | high >> 6 << 4) - 32) * scale(i + 6));
      }
    }
  }
};

/// Calls use(decoder) with the decoder of `type`, or `otherwise()` where there is none.
template <class Use, class Otherwise>
ACT_INLINE void with_decoder(tensor_type type, Use&& use, Otherwise&& otherwise) noexcept {
  switch (type) {
    case tensor_type::f32:
      return use(decode_f32{});
    case tensor_type::f16:
      return use(decode_f16{});
    case tensor_type::bf16:
      return use(decode_bf16{});
    case tensor_type::q8_0:
      return use(decode_q8_0{});
    case tensor_type::q4_0:
      return use(decode_q4_0{});
    case tensor_type::q4_1:
      return use(decode_q4_1{});
    case tensor_type::q5_0:
      return use(decode_q5_0{});
    case tensor_type::q5_1:
      return use(decode_q5_1{});
#if defined(__AVX2__)  // of narrow registers these blocks are too long a piece of code for what it gains
    case tensor_type::q4_k:
      return use(decode_q4_k{});
    case tensor_type::q5_k:
      return use(decode_q5_k{});
    case tensor_type::q6_k:
      return use(decode_q6_k{});
#endif
    default:
      return otherwise();
  }
}

}  // namespace
}  // namespace act::runtime
