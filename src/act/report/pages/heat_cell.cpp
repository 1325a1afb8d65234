#include <act/report/number_text.hpp>
#include <act/report/pages/heat_cell.hpp>
#include <act/report/table.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace act::report {

namespace {

struct colours {
  int background = 0, foreground = 0;
};

constexpr std::array<std::string_view, 5> text_shades = {"·", "░", "▒", "▓", "█"};
constexpr std::array<colours, 9> colour_shades = {
    {{0, 0}, {17, 255}, {18, 255}, {24, 255}, {30, 255}, {35, 16}, {113, 16}, {185, 16}, {227, 16}}};

template <std::size_t Count>
[[nodiscard]] std::size_t shade_of(const std::array<double, Count>& up_to, double share) noexcept {
  const auto found = std::find_if(up_to.begin(), up_to.end(), [&](double each) { return share <= each; });
  return found == up_to.end() ? Count - 1 : static_cast<std::size_t>(found - up_to.begin());
}

std::string coloured(std::size_t shade, const std::string& text) {
  const colours& of = colour_shades[shade];
  return "\033[48;5;" + std::to_string(of.background) + ";38;5;" + std::to_string(of.foreground) + "m" +
         text + "\033[0m";
}

}  // namespace

std::string heat_cell(double share, std::size_t width, heat_map_style style, const heat_scale& scale) {
  if (!(share > 0)) return width == 1 ? "·" : " ·";
  if (!style.colour) {
    const std::string glyph(text_shades[shade_of(scale.text, share)]);
    return width == 1 ? glyph : glyph + glyph;
  }
  const std::size_t shade = shade_of(scale.colour, share);
  if (width == 1) return coloured(shade, " ");
  return coloured(shade, formatted("%2.0f", std::min(99.0, std::floor(100 * share))));
}

std::string heat_legend(heat_map_style style, const heat_scale& scale) {
  std::string legend = std::string(text_shades.front()) + " 0";
  double before = 0;
  const auto add = [&](const std::string& cell, double up_to) {
    legend += "   " + cell + " " +
              (up_to >= 1 ? "over " + formatted("%.0f %%", 100 * before)
                          : "to " + formatted("%.0f %%", 100 * up_to));
    before = up_to;
  };
  if (style.colour) {
    for (std::size_t i = 1; i < scale.colour.size(); ++i)
      add(coloured(i, "  "), scale.colour[i]);
  } else {
    for (std::size_t i = 1; i < scale.text.size(); ++i)
      add(std::string(text_shades[i]), scale.text[i]);
  }
  return legend;
}

std::string padded(const std::string& text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return width < columns ? text + std::string(columns - width, ' ') : text;
}

}  // namespace act::report
