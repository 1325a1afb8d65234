// The lines of a data file, each with its number, under one set of rules: a line ends at byte 0x0A only, one
// trailing CR is dropped, empty lines are passed over, nothing else is removed.
#pragma once

#include <act/io/text_file.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace act::tasks {

/// A longer line is no data set's: most likely the file isn't text.
inline constexpr std::size_t line_length_limit = std::size_t{16} << 20;

enum class text_encoding { utf8, latin1 };

/// `FILE:LINE`, the prefix of every error about a line.
[[nodiscard]] std::string place_of(const io::text_file& file, std::size_t line);

/// Throws error (invalid_input) for one line: `FILE:LINE: what`. `what` ends with how to mend it.
[[noreturn]] void bad_line(const io::text_file& file, std::size_t line, const std::string& what);

/// The text without a byte order mark, which is not part of any line.
[[nodiscard]] std::string_view without_bom(std::string_view text) noexcept;

/// Calls `use(line_text, line_number)` for every line that isn't empty, in order; numbers count from 1 and
/// include empty lines. UTF-8 lines are checked (a byte order mark at the start is dropped); Latin-1 lines
/// come as they are. Throws error (invalid_input) for zero bytes, bytes that aren't UTF-8, and lines
/// beyond line_length_limit.
void for_each_line(const io::text_file& file, text_encoding encoding,
                   const std::function<void(std::string_view line, std::size_t number)>& use);

/// Without spaces, tabs, CR and LF at both ends; other white space stays.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// A piece of a line for an error message: quoted, short, without control characters.
[[nodiscard]] std::string excerpt(std::string_view text);

}  // namespace act::tasks
