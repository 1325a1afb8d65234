// How the numbers of a tensor are stored in a model file: plain floats, or blocks of small integers with a
// scale. For the file readers and whoever converts their tensors (quantization.hpp). Storage only: act
// computes in float.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace act::runtime {

/// The storage types act reads. The names are ggml's; a `qB_V` block holds 32 numbers of B bits (V = 1: with
/// a minimum).
enum class tensor_type { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1 };

/// Numbers in a block: the smallest run of a row that can be converted on its own.
[[nodiscard]] constexpr std::size_t block_elements(tensor_type type) noexcept {
  switch (type) {
    case tensor_type::f32:
    case tensor_type::f16:
    case tensor_type::bf16:
      return 1;
    default:
      return 32;
  }
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
