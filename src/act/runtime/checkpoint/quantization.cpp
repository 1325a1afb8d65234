#include <act/runtime/checkpoint/half_to_float.hpp>
#include <act/runtime/checkpoint/iq4_quants.hpp>
#include <act/runtime/checkpoint/k_quants.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace act::runtime {
namespace {

/// The 16 bytes at `nibbles` hold numbers 0..15 in their low and 16..31 in their high halves.
void dequantize_nibbles(const std::byte* nibbles, float scale, int zero, float minimum, float* out) noexcept {
  std::uint8_t packed[16];
  std::memcpy(packed, nibbles, sizeof packed);
#pragma GCC unroll 1  // taken apart, as g++ 12 does where `zero` is known, it isn't vectorised
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>((packed[i] & 0x0f) - zero) + minimum;
    out[i + 16] = scale * static_cast<float>((packed[i] >> 4) - zero) + minimum;
  }
}

/// As above with a fifth bit for number i in bit i of `high`.
void dequantize_fives(const std::byte* nibbles, std::uint32_t high, float scale, int zero, float minimum,
                      float* out) noexcept {
  std::uint8_t packed[16];
  std::memcpy(packed, nibbles, sizeof packed);
  for (std::size_t i = 0; i < 16; ++i) {
    const int low = (packed[i] & 0x0f) | static_cast<int>((high >> i) << 4 & 0x10u);
    const int up = (packed[i] >> 4) | static_cast<int>((high >> (i + 16)) << 4 & 0x10u);
    out[i] = scale * static_cast<float>(low - zero) + minimum;
    out[i + 16] = scale * static_cast<float>(up - zero) + minimum;
  }
}

}  // namespace

void dequantize(tensor_type type, std::span<const std::byte> blocks, std::span<float> out) noexcept {
  assert(storage_bytes(type, out.size()) == blocks.size());
  const std::byte* from = blocks.data();
  float* to = out.data();
  const std::size_t step = block_bytes(type);
  const std::size_t count = out.size() / block_elements(type);
  const auto half_at = [&](std::size_t offset) noexcept { return load_half(from + offset); };
  const auto each_block = [&](auto&& convert) noexcept {
    for (std::size_t i = 0; i < count; ++i, from += step, to += block_elements(type))
      convert(from, to);
  };
  // A minimum of -0 leaves every sum as it is, signed zeros included: x + (-0) == x.
  constexpr float no_minimum = -0.0f;
  switch (type) {
    case tensor_type::f32:
      if (!out.empty()) std::memcpy(to, from, blocks.size());
      return;
    case tensor_type::f16:
      for (std::size_t i = 0; i < count; ++i)
        to[i] = load_half(from + 2 * i);
      return;
    case tensor_type::bf16:
      for (std::size_t i = 0; i < count; ++i)
        to[i] = std::bit_cast<float>(std::uint32_t{load_unaligned<std::uint16_t>(from + 2 * i)} << 16);
      return;
    case tensor_type::q8_0:
      for (std::size_t i = 0; i < count; ++i, from += step, to += 32) {
        const float scale = half_at(0);
        std::int8_t numbers[32];
        std::memcpy(numbers, from + 2, sizeof numbers);
        for (std::size_t j = 0; j < 32; ++j)
          to[j] = scale * static_cast<float>(numbers[j]);
      }
      return;
    case tensor_type::q4_0:
      for (std::size_t i = 0; i < count; ++i, from += step, to += 32)
        dequantize_nibbles(from + 2, half_at(0), 8, no_minimum, to);
      return;
    case tensor_type::q4_1:
      for (std::size_t i = 0; i < count; ++i, from += step, to += 32)
        dequantize_nibbles(from + 4, half_at(0), 0, half_at(2), to);
      return;
    case tensor_type::q5_0:
      for (std::size_t i = 0; i < count; ++i, from += step, to += 32)
        dequantize_fives(from + 6, load_unaligned<std::uint32_t>(from + 2), half_at(0), 16, no_minimum, to);
      return;
    case tensor_type::q5_1:
      for (std::size_t i = 0; i < count; ++i, from += step, to += 32)
        dequantize_fives(from + 8, load_unaligned<std::uint32_t>(from + 4), half_at(0), 0, half_at(2), to);
      return;
    case tensor_type::q2_k:
      return each_block(dequantize_q2_k);
    case tensor_type::q3_k:
      return each_block(dequantize_q3_k);
    case tensor_type::q4_k:
      return each_block(dequantize_q4_k);
    case tensor_type::q5_k:
      return each_block(dequantize_q5_k);
    case tensor_type::q6_k:
      return each_block(dequantize_q6_k);
    case tensor_type::iq4_nl:
      return each_block(dequantize_iq4_nl);
    case tensor_type::iq4_xs:
      return each_block(dequantize_iq4_xs);
  }
}

void dequantize_rows(const tensor_view& tensor, std::size_t first, std::span<float> out) noexcept {
  dequantize(tensor.type, tensor.row_bytes(first, out.size() / tensor.columns()), out);
}

}  // namespace act::runtime
