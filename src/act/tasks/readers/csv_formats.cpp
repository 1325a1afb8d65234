// Reading CSV, and the readers of every format that is CSV; a header declares each.
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/class_csv.hpp>
#include <act/tasks/readers/csv.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/mmlu.hpp>
#include <act/tasks/sample.hpp>

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

std::vector<sample> read_class_csv(const io::text_file& file, std::size_t label_count, csv_text wanted) {
  std::vector<sample> samples;
  bool first = true;
  for (csv_row& row : parse_csv(file)) {
    const std::string& number = row.cells[0];
    const bool numeric = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    const bool header = first && !numeric;
    first = false;
    if (header) {
      continue;
    }
    if (row.cells.size() != 3) {
      bad_line(
          file, row.line,
          "has " + std::to_string(row.cells.size()) + " cells; there must be 3: class, title, description");
    }
    if (!numeric || number.size() > 4 || std::stoul(number) < 1 || std::stoul(number) > label_count) {
      bad_line(
          file, row.line,
          "class must be a number from 1 to " + std::to_string(label_count) + ", not " + excerpt(number));
    }
    sample& read = samples.emplace_back();
    read.label = std::stoul(number) - 1;
    read.fields["text"] = wanted == csv_text::description ? row.cells[2] : row.cells[1] + " " + row.cells[2];
  }
  return samples;
}

std::string mmlu_subject(const std::string& path) {
  std::string subject = path.substr(path.rfind('/') + 1);  // all of it where there is no folder
  if (const std::size_t dot = subject.rfind('.'); dot != std::string::npos && dot > 0 && subject != "..")
    subject.resize(dot);
  for (const std::string_view ending : {"_test", "_dev", "_val"}) {
    if (subject.ends_with(ending)) {
      subject.resize(subject.size() - ending.size());
      break;
    }
  }
  for (char& c : subject) {
    c = c == '_' ? ' ' : c;
  }
  return subject;
}

std::vector<sample> read_mmlu(const io::text_file& file) {
  static const std::vector<std::string> letters = {"A", "B", "C", "D"};
  const std::string subject = mmlu_subject(file.name);
  std::vector<sample> samples;
  for (const csv_row& row : parse_csv(file)) {
    if (row.cells.size() != 6) {
      bad_line(file, row.line,
               "has " + std::to_string(row.cells.size()) +
                   " cells; there must be 6: question, four options, letter");
    }
    sample& read = samples.emplace_back();
    read.fields["subject"] = subject;
    read.fields["question"] = row.cells[0];
    read.choices.assign(row.cells.begin() + 1, row.cells.begin() + 5);
    read.label = label_position(place_of(file, row.line), row.cells[5], letters);
  }
  return samples;
}

}  // namespace act::tasks
