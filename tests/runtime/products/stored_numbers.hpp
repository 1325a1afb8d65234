// Stored rows of every type with random finite numbers: random bytes with scales put in.
#pragma once

#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace stored {

using act::runtime::tensor_type;

inline constexpr std::array every_type{
    tensor_type::f32,  tensor_type::f16,  tensor_type::bf16, tensor_type::q8_0,   tensor_type::q4_0,
    tensor_type::q4_1, tensor_type::q5_0, tensor_type::q5_1, tensor_type::q2_k,   tensor_type::q3_k,
    tensor_type::q4_k, tensor_type::q5_k, tensor_type::q6_k, tensor_type::iq4_nl, tensor_type::iq4_xs};

// Where a block's half-precision scales stand.
inline std::vector<std::size_t> scales_of(tensor_type type) {
  switch (type) {
    case tensor_type::q4_1:
    case tensor_type::q5_1:
    case tensor_type::q4_k:
    case tensor_type::q5_k:
      return {0, 2};
    case tensor_type::q2_k:
      return {80, 82};
    case tensor_type::q3_k:
      return {108};
    case tensor_type::q6_k:
      return {208};
    default:
      return {0};
  }
}

// Rows of `columns` numbers and, of the same, the floats they are.
struct numbers {
  tensor_type type;
  std::size_t rows, columns;
  std::vector<std::byte> bytes;
  std::vector<float> expanded;

  numbers(tensor_type of, std::size_t row_count, std::size_t column_count, unsigned seed)
      : type(of), rows(row_count), columns(column_count) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> number(-1.0F, 1.0F);
    const std::size_t size = act::runtime::block_bytes(type);
    const std::size_t blocks = rows * columns / act::runtime::block_elements(type);
    bytes.resize(blocks * size);
    for (std::size_t i = 0; i < blocks; ++i) {
      std::byte* const block = bytes.data() + i * size;
      if (type == tensor_type::f32 || type == tensor_type::bf16) {
        const auto bits = std::bit_cast<std::uint32_t>(number(random));
        const std::uint32_t stored_bits = type == tensor_type::f32 ? bits : bits >> 16;
        std::memcpy(block, &stored_bits, size);
        continue;
      }
      for (std::size_t k = 0; k < size; ++k)
        block[k] = static_cast<std::byte>(random() & 0xffu);
      // Halves between 2^-7 and 2^-5, of both signs; some that are subnormal.
      const std::vector<std::size_t> at =
          type == tensor_type::f16 ? std::vector<std::size_t>{0} : scales_of(type);
      for (const std::size_t offset : at) {
        const bool subnormal = random() % 8 == 0;
        const auto half = static_cast<std::uint16_t>((random() & 0x83ffu) |
                                                     (subnormal ? 0 : 0x2000u + (random() & 0x0400u)));
        std::memcpy(block + offset, &half, sizeof half);
      }
    }
    expanded.resize(rows * columns);
    act::runtime::dequantize(type, bytes, expanded);
  }

  [[nodiscard]] act::runtime::tensor_view view() const {
    return {.name = "weights", .type = type, .shape = {rows, columns}, .bytes = bytes};
  }
};

}  // namespace stored
