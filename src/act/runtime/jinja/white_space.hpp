// White space as Python's str.strip() and jinja's `{%-` understand it, at either end of UTF-8 text.
#pragma once

#include <act/io/utf8.hpp>

#include <cstddef>
#include <string_view>

namespace act::runtime::jinja {

[[nodiscard]] constexpr bool is_white_space(char32_t c) noexcept {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

/// Bytes of white space that `text` begins with. Precondition, here and below: valid UTF-8.
[[nodiscard]] constexpr std::size_t white_space_before(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = io::utf8_length(text, at);
    if (length == 0 || !is_white_space(io::utf8_code_point(text, at, length))) break;
    at += length;
  }
  return at;
}

/// Bytes of white space that `text` ends with.
[[nodiscard]] constexpr std::size_t white_space_behind(std::string_view text) noexcept {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80)
      --begin;
    const std::size_t length = io::utf8_length(text, begin);
    if (length == 0 || !is_white_space(io::utf8_code_point(text, begin, length))) break;
    end = begin;
  }
  return text.size() - end;
}

}  // namespace act::runtime::jinja
