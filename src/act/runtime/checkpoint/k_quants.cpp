#include <act/runtime/checkpoint/half_to_float.hpp>
#include <act/runtime/checkpoint/k_quants.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace act::runtime {
namespace {

// A part of a block as bytes of its own: what loops read can't be what they write.
template <std::size_t count>
std::array<std::uint8_t, count> load_bytes(const std::byte* from) noexcept {
  std::array<std::uint8_t, count> bytes;
  std::memcpy(bytes.data(), from, count);
  return bytes;
}

// Q4_K and Q5_K: six-bit scales and minima of eight groups in 12 bytes. The first four of each stand in the
// low six bits of bytes 0..7; of the other four, the low halves are in bytes 8..11 and the upper two bits on
// top of bytes 0..7.
struct group_scales {
  std::array<float, 8> scale, minimum;

  group_scales(const std::byte* packed, float of_scales, float of_minima) noexcept {
    const auto bytes = load_bytes<12>(packed);
    for (std::size_t i = 0; i < 4; ++i) {
      scale[i] = of_scales * static_cast<float>(bytes[i] & 0x3f);
      minimum[i] = of_minima * static_cast<float>(bytes[i + 4] & 0x3f);
      scale[i + 4] = of_scales * static_cast<float>((bytes[i + 8] & 0x0f) | (bytes[i] >> 2 & 0x30));
      minimum[i + 4] = of_minima * static_cast<float>((bytes[i + 8] >> 4) | (bytes[i + 4] >> 2 & 0x30));
    }
  }
};

}  // namespace

// 16 bytes of scale (low half) and minimum (high half) of a group of 16, then two bits a number: of 32 bytes,
// the lowest two bits hold 32 numbers, the next two the 32 behind them, and so on; the scales of both.
void dequantize_q2_k(const std::byte* block, float* out) noexcept {
  const auto groups = load_bytes<16>(block);
  const float of_scales = load_half(block + 80);
  const float of_minima = load_half(block + 82);
  std::array<float, 16> scale, minimum;
  for (std::size_t i = 0; i < 16; ++i) {
    scale[i] = of_scales * static_cast<float>(groups[i] & 0x0f);
    minimum[i] = of_minima * static_cast<float>(groups[i] >> 4);
  }
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t part = 0; part < 2; ++part) {
      const auto packed = load_bytes<16>(block + 16 + 32 * half + 16 * part);
      const float* const s = scale.data() + 8 * half + part;
      const float* const m = minimum.data() + 8 * half + part;
      float* const to = out + 128 * half + 16 * part;
      for (std::size_t i = 0; i < 16; ++i) {
        to[i] = s[0] * static_cast<float>(packed[i] & 3) - m[0];
        to[i + 32] = s[2] * static_cast<float>(packed[i] >> 2 & 3) - m[2];
        to[i + 64] = s[4] * static_cast<float>(packed[i] >> 4 & 3) - m[4];
        to[i + 96] = s[6] * static_cast<float>(packed[i] >> 6) - m[6];
      }
    }
  }
}

// 32 bytes of third bits, 64 of two bits a number as in Q2_K, twelve with six-bit scales of groups of 16,
// their scale. The third bit of number i is bit i / 32 of byte i % 32; where it isn't set, 4 is taken away.
void dequantize_q3_k(const std::byte* block, float* out) noexcept {
  const auto groups = load_bytes<12>(block + 96);
  const float of_scales = load_half(block + 108);
  std::array<float, 16> scale;
  for (std::size_t i = 0; i < 16; ++i) {
    const int low = groups[i % 8] >> i / 8 * 4 & 0x0f;
    const int up = groups[8 + i % 4] >> i / 4 * 2 & 3;
    scale[i] = of_scales * static_cast<float>((low | up << 4) - 32);
  }
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t part = 0; part < 2; ++part) {
      const auto packed = load_bytes<16>(block + 32 + 32 * half + 16 * part);
      const auto high = load_bytes<16>(block + 16 * part);
      const float* const s = scale.data() + 8 * half + part;
      float* const to = out + 128 * half + 16 * part;
      for (std::size_t i = 0; i < 16; ++i) {
        const int third = high[i] >> 4 * half;
        to[i] = s[0] * static_cast<float>((packed[i] & 3) + (third << 2 & 4) - 4);
        to[i + 32] = s[2] * static_cast<float>((packed[i] >> 2 & 3) + (third << 1 & 4) - 4);
        to[i + 64] = s[4] * static_cast<float>((packed[i] >> 4 & 3) + (third & 4) - 4);
        to[i + 96] = s[6] * static_cast<float>((packed[i] >> 6) + (third >> 1 & 4) - 4);
      }
    }
  }
}

// Scale, scale of the minima, twelve bytes of both for groups of 32, then four bits a number: 32 bytes hold
// one group in their low and the next one in their high halves.
void dequantize_q4_k(const std::byte* block, float* out) noexcept {
  const group_scales groups(block + 4, load_half(block), load_half(block + 2));
  for (std::size_t pair = 0; pair < 4; ++pair, out += 64) {
    const auto packed = load_bytes<32>(block + 16 + 32 * pair);
    for (std::size_t i = 0; i < 32; ++i) {
      out[i] = groups.scale[2 * pair] * static_cast<float>(packed[i] & 0x0f) - groups.minimum[2 * pair];
      out[i + 32] =
          groups.scale[2 * pair + 1] * static_cast<float>(packed[i] >> 4) - groups.minimum[2 * pair + 1];
    }
  }
}

// As Q4_K, with a fifth bit for number i of group g in bit g of byte i of the 32 after the scales.
void dequantize_q5_k(const std::byte* block, float* out) noexcept {
  const group_scales groups(block + 4, load_half(block), load_half(block + 2));
  const auto high = load_bytes<32>(block + 16);
  for (std::size_t pair = 0; pair < 4; ++pair, out += 64) {
    const auto packed = load_bytes<32>(block + 48 + 32 * pair);
    for (std::size_t i = 0; i < 32; ++i) {
      const int low = (packed[i] & 0x0f) | (high[i] >> 2 * pair & 1) << 4;
      const int up = (packed[i] >> 4) | (high[i] >> (2 * pair + 1) & 1) << 4;
      out[i] = groups.scale[2 * pair] * static_cast<float>(low) - groups.minimum[2 * pair];
      out[i + 32] = groups.scale[2 * pair + 1] * static_cast<float>(up) - groups.minimum[2 * pair + 1];
    }
  }
}

// 128 bytes of low four bits (64 of them hold numbers 0..63 of a half block in their low and 64..127 in their
// high halves), 64 of upper two bits laid out as in Q2_K, signed byte scales of groups of 16, their scale.
// Numbers are stored with 32 added.
void dequantize_q6_k(const std::byte* block, float* out) noexcept {
  const auto groups = load_bytes<16>(block + 192);
  const float of_scales = load_half(block + 208);
  std::array<float, 16> scale;
  for (std::size_t i = 0; i < 16; ++i)
    scale[i] = of_scales * static_cast<float>(static_cast<std::int8_t>(groups[i]));
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t part = 0; part < 2; ++part) {
      const auto low = load_bytes<16>(block + 64 * half + 16 * part);
      const auto low2 = load_bytes<16>(block + 64 * half + 16 * part + 32);
      const auto high = load_bytes<16>(block + 128 + 32 * half + 16 * part);
      float* const to = out + 128 * half + 16 * part;
      const float* const scales = scale.data() + 8 * half + part;
      for (std::size_t i = 0; i < 16; ++i) {
        to[i] = scales[0] * static_cast<float>(((low[i] & 0x0f) | (high[i] & 3) << 4) - 32);
        to[i + 32] = scales[2] * static_cast<float>(((low2[i] & 0x0f) | (high[i] >> 2 & 3) << 4) - 32);
        to[i + 64] = scales[4] * static_cast<float>((low[i] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
        to[i + 96] = scales[6] * static_cast<float>((low2[i] >> 4 | high[i] >> 6 << 4) - 32);
      }
    }
  }
}

}  // namespace act::runtime
