// The lines of a data file, each with its number, under one set of rules: a line ends at byte 0x0A only, one
// trailing CR is dropped, empty lines are passed over, nothing else is removed.
#pragma once

#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::tasks {

/// A longer line is no data set's: most likely the file isn't text.
inline constexpr std::size_t line_length_limit = std::size_t{16} << 20;

enum class text_encoding { utf8, latin1 };

/// `FILE:LINE`, the prefix of every error about a line.
inline std::string place_of(const io::text_file& file, std::size_t line) {
  return file.name + ":" + std::to_string(line);
}

/// Throws error (invalid_input) for one line: `FILE:LINE: what`. `what` ends with how to mend it.
[[noreturn]] inline void bad_line(const io::text_file& file, std::size_t line, const std::string& what) {
  throw error(error_code::invalid_input, place_of(file, line), what);
}

/// The text without a byte order mark, which is not part of any line.
inline std::string_view without_bom(std::string_view text) noexcept {
  return text.substr(0, 3) == "\xEF\xBB\xBF" ? text.substr(3) : text;
}

/// Calls `use(line_text, line_number)` for every line that isn't empty, in order; numbers count from 1 and
/// include empty lines. UTF-8 lines are checked (a byte order mark at the start is dropped); Latin-1 lines
/// come as they are. Throws error (invalid_input) for bytes that aren't UTF-8, and lines beyond
/// line_length_limit.
template <class Use>
void for_each_line(const io::text_file& file, text_encoding encoding, Use use) {
  std::string_view rest =
      encoding == text_encoding::utf8 ? without_bom(file.text) : std::string_view(file.text);
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.size() > line_length_limit) {
      bad_line(file, number, "is longer than 16 MiB; is this a text file?");
    }
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    if (line.empty()) {
      continue;
    }
    if (encoding == text_encoding::utf8) {
      if (const std::size_t at = io::find_invalid_utf8(line); at != std::string_view::npos) {
        bad_line(file, number, "byte " + std::to_string(at + 1) + " isn't UTF-8; convert the file to UTF-8");
      }
    }
    use(line, number);
  }
}

/// Without spaces, tabs, CR and LF at both ends; other white space stays.
inline std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// A piece of a line for an error message: quoted, short, without control characters.
inline std::string excerpt(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, 40)) {
    shown += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
  }
  return shown + (text.size() > 40 ? "...'" : "'");
}

}  // namespace act::tasks
