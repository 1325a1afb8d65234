#include <act/runtime/checkpoint/half_to_float.hpp>
#include <act/runtime/checkpoint/iq4_quants.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace act::runtime {
namespace {

// What the 16 codes stand for (ggml's kvalues_iq4nl).
constexpr std::array<std::int8_t, 16> values = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                1,    13,   25,  38,  53,  69,  89,  113};

// The values of a byte's two codes, that of the low one in the low byte: half as many look-ups, none of which
// compilers turn into a slow gather.
constexpr auto pairs = [] {
  std::array<std::uint16_t, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte)
    table[byte] = static_cast<std::uint16_t>(static_cast<std::uint8_t>(values[byte & 0x0f]) |
                                             static_cast<std::uint8_t>(values[byte >> 4]) << 8);
  return table;
}();

// The 16 bytes at `codes` hold numbers 0..15 in their low and 16..31 in their high halves. Not inlined: g++
// 12 vectorises its second loop here, and not within the loop over groups.
[[gnu::noinline]] void dequantize_codes(const std::byte* codes, float scale, float* out) noexcept {
  std::uint16_t both[16];
  for (std::size_t i = 0; i < 16; ++i)
    both[i] = pairs[static_cast<std::uint8_t>(codes[i])];
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(static_cast<std::int8_t>(both[i]));
    out[i + 16] = scale * static_cast<float>(static_cast<std::int8_t>(both[i] >> 8));
  }
}

}  // namespace

void dequantize_iq4_nl(const std::byte* block, float* out) noexcept {
  dequantize_codes(block + 2, load_half(block), out);
}

// The block's scale, two high bits of the groups' scales in a 16-bit number, four low bits of each in four
// bytes, the codes.
void dequantize_iq4_xs(const std::byte* block, float* out) noexcept {
  const float of_scales = load_half(block);
  const unsigned high = load_unaligned<std::uint16_t>(block + 2);
  const std::uint32_t low = load_unaligned<std::uint32_t>(block + 4);
  for (std::size_t group = 0; group < 8; ++group) {
    const auto scale = static_cast<int>((low >> 4 * group & 0x0f) | (high >> 2 * group & 3) << 4) - 32;
    dequantize_codes(block + 8 + 16 * group, of_scales * static_cast<float>(scale), out + 32 * group);
  }
}

}  // namespace act::runtime
