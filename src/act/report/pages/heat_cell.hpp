// Cells of a heat map for a terminal: shades of UTF-8 text, or colours. What the maps of
// inspection_heat_map.hpp and predictability_report.hpp are drawn with.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace act::report {

/// How a heat map is drawn.
struct heat_map_style {
  bool colour = false;  ///< ANSI escape codes, 256 colours; without them, shades of UTF-8 text
};

/// The share up to which each shade goes, the first one's 0 and the last one's 1. Fixed for a kind of map, so
/// that those of different models and texts can be compared.
struct heat_scale {
  std::array<double, 5> text = {};
  std::array<double, 9> colour = {};
};

/// `width` columns, 1 or 2. Coloured cells of two columns hold the percentage; a share of 0 or less is a dot.
[[nodiscard]] std::string heat_cell(double share, std::size_t width, heat_map_style style,
                                    const heat_scale& scale);

/// Which shade is which share, on one line without its end.
[[nodiscard]] std::string heat_legend(heat_map_style style, const heat_scale& scale);

/// Text with spaces behind it, `columns` wide.
[[nodiscard]] std::string padded(const std::string& text, std::size_t columns);

}  // namespace act::report
