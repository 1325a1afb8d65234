// GPT-2's alphabet for bytes: vocabularies of byte-level BPE are written with one printable character for
// each of the 256 bytes (a space is U+0120). Both ways of that map. Source: OpenAI's GPT-2 encoder,
// bytes_to_unicode.
#pragma once

#include <act/io/utf8.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

namespace detail {

/// Printable Latin-1 stands for itself; the other 68 bytes take U+0100 and on, in order.
[[nodiscard]] constexpr std::array<char32_t, 256> make_byte_alphabet() noexcept {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters[byte] = printable ? byte : next++;
  }
  return characters;
}
inline constexpr std::array<char32_t, 256> byte_alphabet = make_byte_alphabet();

}  // namespace detail

/// The character that stands for `byte`, as UTF-8.
[[nodiscard]] inline std::string character_of_byte(unsigned char byte) {
  std::string character;
  io::append_utf8(character, detail::byte_alphabet[byte]);
  return character;
}

/// The byte that `c` stands for, if it is one of the 256 characters.
[[nodiscard]] constexpr std::optional<unsigned char> byte_of_character(char32_t c) noexcept {
  constexpr auto bytes = [] {
    std::array<short, 0x100 + 68> table{};
    table.fill(-1);
    for (short byte = 0; byte < 256; ++byte)
      table[detail::byte_alphabet[static_cast<std::size_t>(byte)]] = byte;
    return table;
  }();
  if (c >= bytes.size() || bytes[c] < 0) return std::nullopt;
  return static_cast<unsigned char>(bytes[c]);
}

/// The bytes a vocabulary entry stands for; an entry with a character outside the alphabet (an added token)
/// is taken as the text it is, as the reference decoder does.
[[nodiscard]] inline std::string bytes_of_token(std::string_view token) {
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
