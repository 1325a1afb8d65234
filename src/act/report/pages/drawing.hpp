// A drawing as SVG: lines, boxes and text that stand in a page, where they have its colours, or in a file of
// their own, for papers: that loads nothing, needs no script, and is dark on white.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace act::report {

/// Where a text stands beside its point.
enum class text_side { right_of, left_of, around };

class drawing {
 public:
  /// In pixels. `title` is any text: the file's title, its first line, and what a screen reader says.
  drawing(std::string title, double width, double height);

  /// Space that the title's line takes from the top.
  static constexpr double title_height = 34;

  [[nodiscard]] const std::string& title() const noexcept { return title_; }

  /// `classes` name what it looks like: of drawing_style or of picture_colours.hpp.
  void text(double x, double y, std::string_view text, text_side side = text_side::right_of,
            std::string_view classes = "ink");
  /// Read from below to above, ending at the point.
  void upright_text(double x, double y, std::string_view text, std::string_view classes = "ink");
  void line(double x1, double y1, double x2, double y2, std::string_view classes = "axis");
  /// `name` is what a pointer sees; empty: nothing.
  void box(double x, double y, double width, double height, std::string_view classes,
           std::string_view name = {});
  void dot(double x, double y, double radius, std::string_view classes, std::string_view name = {});

  /// Cells [row][column] of a square picture with its left upper corner at (x, y): a box of `size` is divided
  /// into side x side. `class_of(row, column)` names a cell's colour; nothing is drawn where it is empty.
  /// Cells of one colour are one path: 10,000 take some 100 KB.
  void cells(double x, double y, double size, std::size_t side,
             const std::function<std::string(std::size_t row, std::size_t column)>& class_of);

  /// For a page that has drawing_style and picture_classes, without the title's line.
  [[nodiscard]] std::string in_page() const;
  /// A whole file.
  [[nodiscard]] std::string file() const;

 private:
  std::string title_;
  double width_;
  double height_;
  std::string shapes_;
};

/// The style of the classes ink, quiet, small, axis, mark, frame, interval, plain and heads, in the colours
/// of page_style.hpp.
extern const std::string_view drawing_style;

}  // namespace act::report
