// Unicode's White_Space at the edges of a text. For special_tokens.hpp, which take it along, and
// text_normalizer.hpp, which strips it.
#pragma once

#include <cstddef>
#include <string_view>

namespace act::runtime {

/// Where the last character of `text` (valid UTF-8, not empty) begins.
[[nodiscard]] std::size_t start_of_last_character(std::string_view text) noexcept;

/// Bytes of the white space that `text` (valid UTF-8) begins or ends with.
[[nodiscard]] std::size_t white_space_at_start(std::string_view text) noexcept;
[[nodiscard]] std::size_t white_space_at_end(std::string_view text) noexcept;

}  // namespace act::runtime
