#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/readers/openbookqa.hpp>
#include <act/tasks/sample.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

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

}  // namespace

std::vector<sample> read_openbookqa(const io::text_file& file) {
  std::vector<sample> samples;
  std::vector<std::string> header;
  std::size_t stem = 0, choices = 0, key = 0;
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const std::vector<std::string> cells = split_at_tabs(line);
    if (header.empty()) {
      header = cells;
      const auto column = [&](const char* name) {
        const auto found = std::find(header.begin(), header.end(), name);
        if (found == header.end()) {
          bad_line(file, number,
                   "the header has no column '" + std::string(name) + "'; is it another task's file?");
        }
        return static_cast<std::size_t>(found - header.begin());
      };
      stem = column("Question Stem");
      choices = column("Choices");
      key = column("Answer Key");
      return;
    }
    if (cells.size() != header.size()) {
      bad_line(file, number,
               "has " + std::to_string(cells.size()) + " columns where the header has " +
                   std::to_string(header.size()));
    }
    sample& read = samples.emplace_back();
    read.fields["question"] = cells[stem];
    read.choices = split_at_marks(cells[choices]);
    if (read.choices.size() != 4) {
      bad_line(file, number,
               "'Choices' must read (A) .. (B) .. (C) .. (D) .., not " + excerpt(cells[choices]));
    }
    static const std::vector<std::string> letters = {"A", "B", "C", "D"};
    read.label = label_position(place_of(file, number), trimmed(cells[key]), letters);
  });
  return samples;
}

}  // namespace act::tasks
