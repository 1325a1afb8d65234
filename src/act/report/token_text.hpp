// Tokens as text: as programs want it, and as people can see it. A token's text is hostile input: it may hold
// line ends, escape sequences of terminals, half a character, or characters that turn the line around.
#pragma once

#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace act::report {

/// The bytes that a token stands for inside a text: its leading space is there even where a tokenizer drops
/// it at a text's beginning. May be part of a character. Throws `error` for an id outside the vocabulary.
[[nodiscard]] inline std::string token_text(const runtime::tokenizer& by, runtime::token_id token) {
  const std::array<runtime::token_id, 2> twice{token, token};
  const std::string once = by.decode({twice.data(), 1});
  const std::string both = by.decode(twice);
  return both.starts_with(once) ? both.substr(once.size()) : once;
}

namespace detail {

// Code points that show nothing or move what stands around them.
[[nodiscard]] constexpr bool is_invisible(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
         c == 0x1160 || (c >= 0x17b4 && c <= 0x17b5) || (c >= 0x180b && c <= 0x180f) ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
         (c >= 0xd800 && c <= 0xf8ff) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
         (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || c >= 0xe0000;
}

// What one can't be shown as.
[[nodiscard]] inline std::string escaped(char32_t c, bool byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  if (byte || c < 0x20 || c == 0x7f) {
    return {'\\', 'x', digits[c >> 4 & 15], digits[c & 15]};
  }
  std::string hex;
  for (char32_t rest = c; rest != 0; rest >>= 4)
    hex.insert(hex.begin(), digits[rest & 15]);
  return "\\u{" + hex + "}";
}

}  // namespace detail

/// Text on one line with nothing hidden in it, for terminals and pages: printable characters as they are;
/// line ends and tabs as \n, \r, \t; bytes that aren't UTF-8 and ASCII control characters as \xNN; other
/// control, format and private characters as \u{N}; a backslash doubled. Cut after `limit` characters, with
/// "..." behind.
[[nodiscard]] inline std::string visible_text(std::string_view text, std::size_t limit = std::string::npos) {
  std::string shown;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == limit) return shown + "...";
    const std::size_t length = io::utf8_length(text, at);
    if (length == 0) {
      shown += detail::escaped(static_cast<unsigned char>(text[at]), true);
      ++at;
      continue;
    }
    const char32_t c = io::utf8_code_point(text, at, length);
    if (c == '\\') {
      shown += "\\\\";
    } else if (detail::is_invisible(c)) {
      shown += detail::escaped(c, false);
    } else {
      shown.append(text, at, length);
    }
    at += length;
  }
  return shown;
}

/// A token as tables show it: 'the', ' the', '\n'. In quotes, so that spaces can be seen.
[[nodiscard]] inline std::string quoted_token(const runtime::tokenizer& by, runtime::token_id token) {
  return "'" + visible_text(token_text(by, token), 24) + "'";
}

}  // namespace act::report
