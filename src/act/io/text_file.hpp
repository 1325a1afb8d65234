// A text file in memory with its name for error messages, and the two encodings data sets come in. Whatever
// interprets a file is a pure function of a text_file; this is the only place that opens one.
#pragma once

#include <string>
#include <string_view>

namespace act::io {

struct text_file {
  std::string name;  ///< as the user wrote it; the prefix of every error
  std::string text;  ///< the bytes, undecoded
};

/// The whole file; a std::filesystem::path converts. Throws error (io) when it can't be read or is a folder.
[[nodiscard]] text_file read_text_file(const std::string& path);

/// ISO 8859-1 to UTF-8: byte b is code point b, 0x80 to 0x9F included.
[[nodiscard]] std::string latin1_to_utf8(std::string_view bytes);

}  // namespace act::io
