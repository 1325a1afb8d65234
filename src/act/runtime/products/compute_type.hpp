// In what numbers products are computed: what a user chooses with --compute. For the loader and for results,
// which record it.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace act::runtime {

/// Sums are float32 in every form; weights are what the checkpoint stores in every form.
enum class compute_type {
  f32,   ///< factors are float32: what `transformers` computes
  bf16,  ///< factors are rounded to bfloat16 (8 significant bits)
  int8,  ///< factors are rounded to 8 bits in blocks of 32, activations with a scale, weights with a minimum
         ///< too
};

inline constexpr std::array compute_types{compute_type::f32, compute_type::bf16, compute_type::int8};

/// "f32", "bf16" or "int8".
[[nodiscard]] constexpr std::string_view name_of(compute_type type) noexcept {
  switch (type) {
    case compute_type::f32:
      return "f32";
    case compute_type::bf16:
      return "bf16";
    case compute_type::int8:
      return "int8";
  }
  return "?";
}

/// The type of that name, or nothing.
[[nodiscard]] constexpr std::optional<compute_type> compute_type_named(std::string_view name) noexcept {
  for (const compute_type each : compute_types) {
    if (name_of(each) == name) return each;
  }
  return std::nullopt;
}

}  // namespace act::runtime
