#include <act/error.hpp>
#include <act/io/text_file.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace act::io {

text_file read_text_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw error(error_code::io, path, "is a folder; name a file in it");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw error(error_code::io, path, "can't be opened; check the path and its permissions");
  }
  std::string text;
  std::vector<char> piece(std::size_t{1} << 20);
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())), stream.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    // /dev/zero never ends, and nobody types so much.
    if (text.size() == piece.size() && std::filesystem::is_character_file(path, ignored))
      throw error(error_code::io, path, "is a device; name a file, or a pipe");
  }
  if (!stream.eof()) {
    throw error(error_code::io, path, "reading failed; check the disk");
  }
  return {path, std::move(text)};
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0 | (b >> 6));
      text += static_cast<char>(0x80 | (b & 0x3F));
    }
  }
  return text;
}

}  // namespace act::io
