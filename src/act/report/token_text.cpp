#include <act/io/utf8.hpp>
#include <act/report/token_text.hpp>

#include <array>

namespace act::report {

std::string token_text(const runtime::tokenizer& by, runtime::token_id token) {
  const std::array<runtime::token_id, 2> twice{token, token};
  const std::string once = by.decode({twice.data(), 1});
  const std::string both = by.decode(twice);
  return both.starts_with(once) ? both.substr(once.size()) : once;
}

namespace {

// Code points that show nothing or move what stands around them.
constexpr bool is_invisible(char32_t c) noexcept {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
         c == 0x1160 || (c >= 0x17b4 && c <= 0x17b5) || (c >= 0x180b && c <= 0x180f) ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
         (c >= 0xd800 && c <= 0xf8ff) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
         (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || c >= 0xe0000;
}

// What one can't be shown as.
std::string escaped(char32_t c, bool byte) {
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

}  // namespace

std::string visible_text(std::string_view text, std::size_t limit) {
  std::string shown;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == limit) return shown + "...";
    const std::size_t length = io::utf8_length(text, at);
    if (length == 0) {
      shown += escaped(static_cast<unsigned char>(text[at]), true);
      ++at;
      continue;
    }
    const char32_t c = io::utf8_code_point(text, at, length);
    if (c == '\\') {
      shown += "\\\\";
    } else if (is_invisible(c)) {
      shown += escaped(c, false);
    } else {
      shown.append(text, at, length);
    }
    at += length;
  }
  return shown;
}

std::string quoted_token(const runtime::tokenizer& by, runtime::token_id token) {
  return "'" + visible_text(token_text(by, token), 24) + "'";
}

}  // namespace act::report
