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
#include <initializer_list>
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
    if (cell.find('\0') != std::string::npos) {
      bad_line(
          file_, read.line,
          "cell " + std::to_string(read.cells.size()) + " has a zero byte; is this a text file, and whole?");
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

namespace {

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789") == std::string::npos;
}

// Where a row of classes has what.
struct class_columns {
  std::size_t label = 0, title = 1, text = 2;
  std::size_t count = 3;
};

// Position of the cell that is one of `names`, in any case.
std::size_t named_column(const io::text_file& file, const csv_row& header,
                         std::initializer_list<std::string_view> names) {
  const auto same = [](std::string_view cell, std::string_view name) {
    return std::equal(cell.begin(), cell.end(), name.begin(), name.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  };
  std::size_t found = header.cells.size();
  for (std::size_t i = 0; i < header.cells.size(); ++i) {
    if (std::none_of(names.begin(), names.end(),
                     [&](std::string_view name) { return same(trimmed(header.cells[i]), name); }))
      continue;
    if (found < header.cells.size()) {
      bad_line(file, header.line,
               "the header's columns " + excerpt(header.cells[found]) + " and " + excerpt(header.cells[i]) +
                   " may both be meant; rename one");
    }
    found = i;
  }
  if (found == header.cells.size()) {
    bad_line(file, header.line,
             "the header has no column '" + std::string(*names.begin()) + "'; is it another task's file?");
  }
  return found;
}

}  // namespace

std::vector<sample> read_class_csv(const io::text_file& file, std::size_t label_count, csv_text wanted) {
  std::vector<sample> samples;
  class_columns columns;
  bool first = true;
  for (csv_row& row : parse_csv(file)) {
    const bool header = first && std::none_of(row.cells.begin(), row.cells.end(), is_number);
    first = false;
    if (header) {
      columns.label = named_column(file, row, {"class", "class index", "label"});
      columns.text = named_column(file, row, {"description", "content"});
      if (wanted == csv_text::title_and_description) columns.title = named_column(file, row, {"title"});
      columns.count = row.cells.size();
      continue;
    }
    if (row.cells.size() != columns.count) {
      bad_line(file, row.line,
               "has " + std::to_string(row.cells.size()) + " cells; there must be " +
                   std::to_string(columns.count) +
                   (columns.count == 3 ? ": class, title, description" : ", as in the header"));
    }
    const std::string& number = row.cells[columns.label];
    if (!is_number(number) || number.size() > 4 || std::stoul(number) < 1 ||
        std::stoul(number) > label_count) {
      bad_line(
          file, row.line,
          "class must be a number from 1 to " + std::to_string(label_count) + ", not " + excerpt(number));
    }
    sample& read = samples.emplace_back();
    read.label = std::stoul(number) - 1;
    const std::string& text = row.cells[columns.text];
    read.fields["text"] = wanted == csv_text::description ? text : row.cells[columns.title] + " " + text;
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
