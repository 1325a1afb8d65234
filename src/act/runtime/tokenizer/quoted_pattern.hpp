// A plain text as a pattern that matches it and nothing else.
#pragma once

#include <string>
#include <string_view>

namespace act::runtime {

/// `text` for regular_expression; every sign in it is itself.
[[nodiscard]] inline std::string quoted_pattern(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const bool plain = static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
                       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '\0')
      pattern += "\\x{00}";
    else
      pattern += plain ? std::string(1, c) : std::string("\\") + c;
  }
  return pattern;
}

}  // namespace act::runtime
