// Reading lines, and the readers of every format of plain lines; a header declares each.
#include <act/error.hpp>
#include <act/io/text_file.hpp>
#include <act/io/utf8.hpp>
#include <act/tasks/readers/inference.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/keyed_choices.hpp>
#include <act/tasks/readers/labelled_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/openbookqa.hpp>
#include <act/tasks/readers/question_classes.hpp>
#include <act/tasks/readers/sentence_tsv.hpp>
#include <act/tasks/sample.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
    if (const std::size_t at = line.find('\0'); at != std::string_view::npos) {
      bad_line(file, number, "byte " + std::to_string(at + 1) + " is zero; is this a text file, and whole?");
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

std::vector<sample> read_labelled_lines(const io::text_file& file, std::size_t label_count,
                                        text_encoding encoding) {
  std::vector<sample> samples;
  for_each_line(file, encoding, [&](std::string_view line, std::size_t number) {
    const std::size_t label = static_cast<std::size_t>(static_cast<unsigned char>(line[0])) - '0';
    if (line[0] < '0' || label >= label_count || line.size() < 2 || line[1] != ' ') {
      bad_line(file, number,
               "must begin with a label from 0 to " + std::to_string(label_count - 1) +
                   " and one space, not " + excerpt(line.substr(0, 8)));
    }
    const std::string_view text = trimmed(line.substr(2));
    if (text.empty()) {
      bad_line(file, number, "has no text after its label; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.fields["text"] = encoding == text_encoding::latin1 ? io::latin1_to_utf8(text) : std::string(text);
    read.label = label;
  });
  return samples;
}

namespace {

std::vector<std::string> split_at_tabs(std::string_view line) {
  std::vector<std::string> cells;
  for (std::size_t tab = 0; tab != std::string_view::npos;) {
    tab = line.find('\t');
    cells.emplace_back(line.substr(0, tab));
    line = tab == std::string_view::npos ? line : line.substr(tab + 1);
  }
  return cells;
}

// Position of a column by its name. A name that stands there twice would be one of two.
std::size_t column_of(const io::text_file& file, std::size_t line, const std::vector<std::string>& header,
                      const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end())
    bad_line(file, line, "the header has no column '" + name + "'; is it another task's file?");
  if (std::find(found + 1, header.end(), name) != header.end())
    bad_line(file, line, "the header has two columns '" + name + "'; remove or rename one");
  return static_cast<std::size_t>(found - header.begin());
}

void check_cell_count(const io::text_file& file, std::size_t line, const std::vector<std::string>& cells,
                      const std::vector<std::string>& header) {
  if (cells.size() == header.size()) return;
  bad_line(file, line,
           "has " + std::to_string(cells.size()) + " columns where the header has " +
               std::to_string(header.size()));
}

// The texts after `(A)`, `(B)`, ... in `inlined`, trimmed; each mark is searched after the one before, so an
// option may itself hold a later mark. Empty when the first mark isn't at the start.
std::vector<std::string> split_at_marks(std::string_view inlined) {
  std::vector<std::string> texts;
  constexpr std::size_t mark_length = 3;
  std::string_view rest = trimmed(inlined);
  if (!rest.starts_with("(A)")) {
    return texts;
  }
  for (char letter = 'B'; letter <= 'E' && !rest.empty(); ++letter) {
    rest.remove_prefix(mark_length);
    const std::size_t next =
        letter <= 'D' ? rest.find(std::string("(") + letter + ")") : std::string_view::npos;
    texts.emplace_back(trimmed(rest.substr(0, next)));
    rest = next == std::string_view::npos ? std::string_view() : rest.substr(next);
  }
  return texts;
}

// A file with a line of column names: read(line number, the cells of `columns`) makes a sample of each other
/// line.
template <std::size_t count, class Read>
std::vector<sample> read_table(const io::text_file& file, const std::array<std::string_view, count>& columns,
                               Read&& read) {
  std::vector<sample> samples;
  std::vector<std::string> header;
  std::array<std::size_t, count> at{};
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::vector<std::string> cells = split_at_tabs(line);
    if (header.empty()) {
      header = cells;
      for (std::size_t c = 0; c < count; ++c)
        at[c] = column_of(file, number, header, std::string(columns[c]));
      return;
    }
    check_cell_count(file, number, cells, header);
    std::array<std::string_view, count> chosen;
    for (std::size_t c = 0; c < count; ++c)
      chosen[c] = cells[at[c]];
    samples.push_back(read(number, chosen));
  });
  return samples;
}

}  // namespace

std::vector<sample> read_openbookqa(const io::text_file& file) {
  if (trimmed(without_bom(file.text)).starts_with('{')) return read_keyed_choices(file);
  return read_table<3>(
      file, {"Question Stem", "Choices", "Answer Key"},
      [&](std::size_t number, const std::array<std::string_view, 3>& cells) {
        const auto [stem, choices, key] = cells;
        sample read;
        read.fields["question"] = stem;
        read.choices = split_at_marks(choices);
        if (read.choices.size() != 4) {
          bad_line(file, number, "'Choices' must read (A) .. (B) .. (C) .. (D) .., not " + excerpt(choices));
        }
        static const std::vector<std::string> letters = {"A", "B", "C", "D"};
        read.label = label_position(place_of(file, number), trimmed(key), letters);
        return read;
      });
}

std::vector<sample> read_inference(const io::text_file& file, std::span<const std::string> labels) {
  if (trimmed(without_bom(file.text)).starts_with('{')) return read_inference_lines(file, labels);
  return read_table<3>(file, {"sentence1", "sentence2", "label"},
                       [&](std::size_t number, const std::array<std::string_view, 3>& cells) {
                         const auto [premise, hypothesis, label] = cells;
                         sample read;
                         read.fields["premise"] = premise;
                         read.fields["hypothesis"] = hypothesis;
                         read.label = label_position(place_of(file, number), trimmed(label), labels);
                         return read;
                       });
}

std::vector<sample> read_question_classes(io::text_file file, std::span<const std::string> classes) {
  if (io::find_invalid_utf8(file.text) != std::string::npos) {
    std::replace(file.text.begin(), file.text.end(), '\xF0', ' ');
  }
  std::vector<sample> samples;
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::size_t colon = line.find(':');
    const std::size_t space = line.find(' ');
    if (colon == std::string_view::npos || space == std::string_view::npos || space < colon) {
      bad_line(file, number, "must begin with COARSE:fine and a space, not " + excerpt(line.substr(0, 16)));
    }
    const std::string_view text = trimmed(line.substr(space + 1));
    if (text.empty()) {
      bad_line(file, number, "has no question after its class; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.label = label_position(place_of(file, number), line.substr(0, colon), classes);
    read.fields["text"] = std::string(text);
  });
  return samples;
}

std::vector<sample> read_sentence_tsv(const io::text_file& file) {
  std::vector<sample> samples;
  bool header = true;
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    if (header) {
      if (line != "sentence\tlabel") {
        const std::vector<std::string> cells = split_at_tabs(line);
        const auto has = [&](const char* name) {
          return std::find(cells.begin(), cells.end(), name) != cells.end();
        };
        bad_line(file, number,
                 "the first line must be the header 'sentence<TAB>label', not " + excerpt(line) +
                     (has("sentence") && has("label") ? "; keep these two columns, in this order"
                                                      : "; add it, unless this is another task's file"));
      }
      header = false;
      return;
    }
    const std::size_t tab = line.rfind('\t');
    const std::string_view label = tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
    if (label != "0" && label != "1") {
      bad_line(file, number, "must end with a tab and the label 0 or 1, not " + excerpt(label));
    }
    if (tab == 0) {
      bad_line(file, number, "has no sentence before its label; add it or remove the line");
    }
    sample& read = samples.emplace_back();
    read.fields["text"] = std::string(line.substr(0, tab));
    read.label = label == "1" ? 1 : 0;
  });
  return samples;
}

}  // namespace act::tasks
