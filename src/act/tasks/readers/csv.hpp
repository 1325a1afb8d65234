// Comma-separated values as data sets write them: cells may be quoted with ", a quote inside is doubled, a
// quoted cell may hold commas and newlines. Nothing is trimmed and backslashes mean nothing.
#pragma once

#include <act/io/text_file.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act::tasks {

struct csv_row {
  std::size_t line = 0;  ///< of its first byte, from 1
  std::vector<std::string> cells;
};

/// Every row that isn't an empty line. A row ends at byte 0x0A outside quotes (one CR before it is dropped);
/// inside quotes every byte stays. A quote in the middle of an unquoted cell stands for itself. Throws error
/// (invalid_input) for text after a closing quote, a quote that is never closed, cells beyond
/// line_length_limit, and bytes that aren't UTF-8.
std::vector<csv_row> parse_csv(const io::text_file& file);

}  // namespace act::tasks
