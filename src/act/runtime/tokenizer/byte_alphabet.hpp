// GPT-2's alphabet for bytes: vocabularies of byte-level BPE are written with one printable character for
// each of the 256 bytes (a space is U+0120). Both ways of that map. Source: OpenAI's GPT-2 encoder,
// bytes_to_unicode.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

/// The character that stands for `byte`, as UTF-8.
[[nodiscard]] std::string character_of_byte(unsigned char byte);

/// `bytes` in the alphabet, one character a byte; or appended to a text.
[[nodiscard]] std::string spelled_in_bytes(std::string_view bytes);
void append_spelled_in_bytes(std::string& text, std::string_view bytes);

/// The byte that `c` stands for, if it is one of the 256 characters.
[[nodiscard]] std::optional<unsigned char> byte_of_character(char32_t c) noexcept;

/// The bytes a vocabulary entry stands for; an entry with a character outside the alphabet (an added token)
/// is taken as the text it is, as the reference decoder does.
[[nodiscard]] std::string bytes_of_token(std::string_view token);

}  // namespace act::runtime
