// In what numbers a key/value cache holds its positions: what a user chooses with --cache-type.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace act::runtime {

enum class cache_type {
  f32,  ///< as they were computed
  f16,  ///< rounded to IEEE half precision: half the memory, and half of what each token has to read
};

inline constexpr std::array cache_types{cache_type::f32, cache_type::f16};

/// "f32" or "f16".
[[nodiscard]] constexpr std::string_view name_of(cache_type type) noexcept {
  return type == cache_type::f16 ? "f16" : "f32";
}

/// The type of that name, or nothing.
[[nodiscard]] constexpr std::optional<cache_type> cache_type_named(std::string_view name) noexcept {
  for (const cache_type each : cache_types) {
    if (name_of(each) == name) return each;
  }
  return std::nullopt;
}

}  // namespace act::runtime
