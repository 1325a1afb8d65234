// How the numbers of a tensor are stored in a model file: plain floats, or blocks of small integers with a
// scale. For the file readers and whoever converts their tensors (quantization.hpp). Storage only: act
// computes in float.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace act::runtime {

/// The storage types act reads. The names are ggml's; a `qB_V` block holds 32 numbers of B bits (V = 1: with
/// a minimum), a `qB_k` block 256 in groups with integer scales, an `iq4` block picks from 16 uneven values.
enum class tensor_type {
  f32,
  f16,
  bf16,
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs
};

/// Numbers in a block: the smallest run of a row that can be converted on its own.
[[nodiscard]] constexpr std::size_t block_elements(tensor_type type) noexcept {
  switch (type) {
    case tensor_type::f32:
    case tensor_type::f16:
    case tensor_type::bf16:
      return 1;
    case tensor_type::q8_0:
    case tensor_type::q4_0:
    case tensor_type::q4_1:
    case tensor_type::q5_0:
    case tensor_type::q5_1:
    case tensor_type::iq4_nl:
      return 32;
    case tensor_type::q2_k:
    case tensor_type::q3_k:
    case tensor_type::q4_k:
    case tensor_type::q5_k:
    case tensor_type::q6_k:
    case tensor_type::iq4_xs:
      return 256;
  }
  return 0;
}

/// Bytes of a block.
[[nodiscard]] constexpr std::size_t block_bytes(tensor_type type) noexcept {
  switch (type) {
    case tensor_type::f32:
      return 4;
    case tensor_type::f16:
    case tensor_type::bf16:
      return 2;
    case tensor_type::q8_0:
      return 2 + 32;  // scale, 32 bytes
    case tensor_type::q4_0:
      return 2 + 16;  // scale, 32 nibbles
    case tensor_type::q4_1:
      return 2 + 2 + 16;  // scale, minimum, 32 nibbles
    case tensor_type::q5_0:
      return 2 + 4 + 16;  // scale, 32 fifth bits, 32 nibbles
    case tensor_type::q5_1:
      return 2 + 2 + 4 + 16;
    case tensor_type::q2_k:
      return 16 + 64 + 2 + 2;  // 16 nibbles of scale and of minimum, 256 twos, scale, scale of the minima
    case tensor_type::q3_k:
      return 32 + 64 + 12 + 2;  // 256 third bits, 256 twos, 16 sixes of scale, scale
    case tensor_type::q4_k:
      return 2 + 2 + 12 + 128;  // scale, scale of the minima, 8 sixes of both, 256 nibbles
    case tensor_type::q5_k:
      return 2 + 2 + 12 + 32 + 128;  // as q4_k with 256 fifth bits
    case tensor_type::q6_k:
      return 128 + 64 + 16 + 2;  // 256 nibbles, 256 twos, 16 bytes of scale, scale
    case tensor_type::iq4_nl:
      return 2 + 16;  // scale, 32 nibbles
    case tensor_type::iq4_xs:
      return 2 + 2 + 4 + 128;  // scale, 8 twos and 8 nibbles of scale, 256 nibbles
  }
  return 0;
}

/// "F32", "Q4_1", ...: as the tools around these files print them.
[[nodiscard]] constexpr std::string_view name_of(tensor_type type) noexcept {
  switch (type) {
    case tensor_type::f32:
      return "F32";
    case tensor_type::f16:
      return "F16";
    case tensor_type::bf16:
      return "BF16";
    case tensor_type::q8_0:
      return "Q8_0";
    case tensor_type::q4_0:
      return "Q4_0";
    case tensor_type::q4_1:
      return "Q4_1";
    case tensor_type::q5_0:
      return "Q5_0";
    case tensor_type::q5_1:
      return "Q5_1";
    case tensor_type::q2_k:
      return "Q2_K";
    case tensor_type::q3_k:
      return "Q3_K";
    case tensor_type::q4_k:
      return "Q4_K";
    case tensor_type::q5_k:
      return "Q5_K";
    case tensor_type::q6_k:
      return "Q6_K";
    case tensor_type::iq4_nl:
      return "IQ4_NL";
    case tensor_type::iq4_xs:
      return "IQ4_XS";
  }
  return "?";
}

/// Bytes that `elements` numbers take, or nothing when they aren't whole blocks or the result overflows.
[[nodiscard]] constexpr std::optional<std::size_t> storage_bytes(tensor_type type,
                                                                 std::size_t elements) noexcept {
  if (elements % block_elements(type) != 0) return std::nullopt;
  const std::size_t blocks = elements / block_elements(type);
  if (blocks > static_cast<std::size_t>(-1) / block_bytes(type)) return std::nullopt;
  return blocks * block_bytes(type);
}

}  // namespace act::runtime
