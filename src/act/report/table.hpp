// Tables for people: plain text, columns aligned, nothing but spaces between them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::report {

/// Columns a terminal gives to UTF-8 text, as far as one per code point is right (not for CJK or combining
/// marks).
[[nodiscard]] inline std::size_t display_width(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class text_table {
 public:
  using row = std::vector<std::string>;

  explicit text_table(row header) : rows_{std::move(header)} {}

  /// A row may be shorter than the header; cells beyond it are columns without a title.
  void add(row cells) { rows_.push_back(std::move(cells)); }

  /// One line a row: the first column to the left, the others, mostly numbers, to the right; two spaces
  /// between columns, none at the end of a line.
  [[nodiscard]] std::string str() const {
    std::vector<std::size_t> widths;
    for (const row& cells : rows_) {
      widths.resize(std::max(widths.size(), cells.size()));
      for (std::size_t i = 0; i < cells.size(); ++i) {
        widths[i] = std::max(widths[i], display_width(cells[i]));
      }
    }
    std::string text;
    for (const row& cells : rows_) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string padding(widths[i] - display_width(cells[i]), ' ');
        line += i == 0 ? cells[i] + padding : "  " + padding + cells[i];
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<row> rows_;
};

}  // namespace act::report
