#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/lines.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::tasks {

std::string place_of(const io::text_file& file, std::size_t line) {
  return file.name + ":" + std::to_string(line);
}

void bad_line(const io::text_file& file, std::size_t line, const std::string& what) {
  throw error(error_code::invalid_input, place_of(file, line), what);
}

std::string_view without_bom(std::string_view text) noexcept {
  return text.substr(0, 3) == "\xEF\xBB\xBF" ? text.substr(3) : text;
}

void for_each_line(const io::text_file& file, text_encoding encoding,
                   const std::function<void(std::string_view, std::size_t)>& use) {
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

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string excerpt(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, 40)) {
    shown += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
  }
  return shown + (text.size() > 40 ? "...'" : "'");
}

}  // namespace act::tasks
