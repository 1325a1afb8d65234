// A text file in memory with its name for error messages, and the two encodings data sets come in. Whatever
// interprets a file is a pure function of a text_file; this is the only place that opens one.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/utf8.hpp>
#include <act/version.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::inline ACT_ABI {

struct text_file {
  std::string name;  ///< as the user wrote it; the prefix of every error
  std::string text;  ///< the bytes, undecoded
};

/// The whole file. Throws error (io) when it can't be read or is a folder.
inline text_file read_text_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw error(error_code::io, path.string(), "is a folder; name a file in it");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw error(error_code::io, path.string(), "can't be opened; check the path and its permissions");
  }
  std::string text;
  std::vector<char> piece(std::size_t{1} << 20);
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())), stream.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.eof()) {
    throw error(error_code::io, path.string(), "reading failed; check the disk");
  }
  return {path.string(), std::move(text)};
}

/// ISO 8859-1 to UTF-8: byte b is code point b, 0x80 to 0x9F included.
inline std::string latin1_to_utf8(std::string_view bytes) {
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

}  // namespace act::inline ACT_ABI
