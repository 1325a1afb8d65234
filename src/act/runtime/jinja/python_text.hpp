// Texts and numbers as Python sees them: what operations, filters and methods share.
#pragma once

#include <act/runtime/jinja/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

/// A whole number, or a truth as 0 or 1.
[[nodiscard]] std::optional<std::int64_t> whole_of(const value& of) noexcept;

/// Positions of the characters' first bytes, and the end.
[[nodiscard]] std::vector<std::size_t> characters_of(std::string_view text);

[[nodiscard]] bool is_ascii(std::string_view text) noexcept;
/// Of ASCII letters; others stay.
[[nodiscard]] char lower(char c) noexcept;
[[nodiscard]] char upper(char c) noexcept;
[[nodiscard]] bool is_letter(char c) noexcept;

/// As Python's repr.
[[nodiscard]] std::string written_number(double number);

/// How many bytes strip() takes at the beginning and at the end of `text`: white space, or any of the
/// characters of `of`.
[[nodiscard]] std::pair<std::size_t, std::size_t> strippable(std::string_view text, const marked_text* of);

}  // namespace act::runtime::jinja
