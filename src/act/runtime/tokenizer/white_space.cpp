#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/white_space.hpp>

#include <cstddef>
#include <string_view>

namespace act::runtime {
namespace {

bool is_white_space(char32_t c) noexcept {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}

char32_t last(std::string_view text) noexcept {
  const std::size_t at = start_of_last_character(text);
  return io::utf8_code_point(text, at, text.size() - at);
}

}  // namespace

std::size_t start_of_last_character(std::string_view text) noexcept {
  std::size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80)
    --at;
  return at;
}

std::size_t white_space_at_end(std::string_view text) noexcept {
  const std::size_t whole = text.size();
  while (!text.empty() && is_white_space(last(text)))
    text = text.substr(0, start_of_last_character(text));
  return whole - text.size();
}

std::size_t white_space_at_start(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = io::utf8_length(text, at);
    if (!is_white_space(io::utf8_code_point(text, at, length))) break;
    at += length;
  }
  return at;
}

}  // namespace act::runtime
