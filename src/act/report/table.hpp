// Tables for people: plain text, columns aligned, nothing but spaces between them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::report {

/// Columns a terminal gives to UTF-8 text, as far as one per code point is right (not for CJK or combining
/// marks).
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

class text_table {
 public:
  using row = std::vector<std::string>;

  explicit text_table(row header) : rows_{std::move(header)} {}

  /// A row may be shorter than the header; cells beyond it are columns without a title.
  void add(row cells) { rows_.push_back(std::move(cells)); }

  /// One line a row: the first column to the left, the others, mostly numbers, to the right; two spaces
  /// between columns, none at the end of a line.
  [[nodiscard]] std::string str() const;

 private:
  std::vector<row> rows_;
};

}  // namespace act::report
