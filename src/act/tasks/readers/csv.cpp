#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/csv.hpp>
#include <act/tasks/readers/lines.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

namespace {

class csv_scanner {
 public:
  explicit csv_scanner(const io::text_file& file) : file_(file), rest_(without_bom(file.text)) {}

  /// Passes over empty lines; false at the end of the file.
  bool next_row() {
    while (skip_line_end()) {
    }
    return !rest_.empty();
  }

  csv_row row() {
    csv_row read{line_, {}};
    do {
      read.cells.push_back(rest_.starts_with('"') ? quoted_cell() : plain_cell());
      check(read);
    } while (skip(','));
    if (!rest_.empty() && !skip_line_end()) {
      bad_line(file_, line_,
               "text follows the closing quote of cell " + std::to_string(read.cells.size()) +
                   "; double the quotes inside a cell");
    }
    return read;
  }

 private:
  bool skip(char c) {
    const bool there = rest_.starts_with(c);
    rest_.remove_prefix(there);
    return there;
  }

  bool skip_line_end() {
    if (rest_ == "\r") {  // a CR that ends the file
      rest_ = {};
      return true;
    }
    rest_.remove_prefix(rest_.starts_with("\r\n"));
    const bool there = skip('\n');
    line_ += there;
    return there;
  }

  std::string plain_cell() {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    std::string_view cell = line.substr(0, line.find(','));
    if (cell.size() == line.size() && cell.ends_with('\r')) {
      cell.remove_suffix(1);  // part of the line's end, left for skip_line_end
    }
    rest_.remove_prefix(cell.size());
    return std::string(cell);
  }

  std::string quoted_cell() {
    const std::size_t opened = line_;
    std::string cell;
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t quote = rest_.find('"');
      if (quote == std::string_view::npos) {
        bad_line(file_, opened, "a quoted cell is never closed; add the missing \"");
      }
      cell += rest_.substr(0, quote);
      line_ += static_cast<std::size_t>(
          std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
      rest_.remove_prefix(quote + 1);
      if (!skip('"')) {
        return cell;
      }
      cell += '"';  // a doubled quote stands for one
    }
  }

  void check(const csv_row& read) const {
    const std::string& cell = read.cells.back();
    if (cell.size() > line_length_limit) {
      bad_line(file_, read.line, "a cell is longer than 16 MiB; is a quote missing?");
    }
    if (io::find_invalid_utf8(cell) != std::string_view::npos) {
      bad_line(file_, read.line,
               "cell " + std::to_string(read.cells.size()) + " isn't UTF-8; convert the file to UTF-8");
    }
  }

  const io::text_file& file_;
  std::string_view rest_;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<csv_row> parse_csv(const io::text_file& file) {
  std::vector<csv_row> rows;
  for (csv_scanner scanner(file); scanner.next_row();) {
    rows.push_back(scanner.row());
  }
  return rows;
}

}  // namespace act::tasks
