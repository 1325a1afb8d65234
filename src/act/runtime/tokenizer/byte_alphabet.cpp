#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_alphabet.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

// Printable Latin-1 stands for itself; the other 68 bytes take U+0100 and on, in order.
constexpr std::array<char32_t, 256> make_byte_alphabet() noexcept {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters[byte] = printable ? byte : next++;
  }
  return characters;
}

constexpr std::array<char32_t, 256> byte_alphabet = make_byte_alphabet();

}  // namespace

std::string character_of_byte(unsigned char byte) {
  std::string character;
  io::append_utf8(character, byte_alphabet[byte]);
  return character;
}

std::string spelled_in_bytes(std::string_view bytes) {
  std::string spelled;
  append_spelled_in_bytes(spelled, bytes);
  return spelled;
}

void append_spelled_in_bytes(std::string& text, std::string_view bytes) {
  for (const char byte : bytes)
    io::append_utf8(text, byte_alphabet[static_cast<unsigned char>(byte)]);
}

std::optional<unsigned char> byte_of_character(char32_t c) noexcept {
  constexpr auto bytes = [] {
    std::array<short, 0x100 + 68> table{};
    table.fill(-1);
    for (short byte = 0; byte < 256; ++byte)
      table[byte_alphabet[static_cast<std::size_t>(byte)]] = byte;
    return table;
  }();
  if (c >= bytes.size() || bytes[c] < 0) return std::nullopt;
  return static_cast<unsigned char>(bytes[c]);
}

std::string bytes_of_token(std::string_view token) {
  std::string bytes;
  bytes.reserve(token.size());
  for (std::size_t at = 0; at < token.size();) {
    const std::size_t length = io::utf8_length(token, at);
    const auto byte = length == 0 ? std::nullopt : byte_of_character(io::utf8_code_point(token, at, length));
    if (!byte) return std::string(token);
    bytes += static_cast<char>(*byte);
    at += length;
  }
  return bytes;
}

}  // namespace act::runtime
