#include <act/inspection/summary.hpp>
#include <act/report/inspection_heat_map.hpp>
#include <act/report/number_text.hpp>
#include <act/report/table.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace act::report {

namespace {

/// A cell's shades: the share up to which each goes, its character, its colours. Fixed, so that maps of
/// different prompts and models can be compared.
struct heat_shade {
  double up_to = 1;
  std::string_view text;
  int background = 0, foreground = 0;
};

constexpr std::array<heat_shade, 5> text_shades = {
    {{0, "·"}, {0.05, "░"}, {0.15, "▒"}, {0.40, "▓"}, {1, "█"}}};
constexpr std::array<heat_shade, 9> colour_shades = {{{0, "·", 0, 0},
                                                      {0.02, "", 17, 255},
                                                      {0.05, "", 18, 255},
                                                      {0.10, "", 24, 255},
                                                      {0.20, "", 30, 255},
                                                      {0.35, "", 35, 16},
                                                      {0.55, "", 113, 16},
                                                      {0.75, "", 185, 16},
                                                      {1, "", 227, 16}}};

template <std::size_t Count>
[[nodiscard]] const heat_shade& shade_of(const std::array<heat_shade, Count>& shades, double share) noexcept {
  const auto found =
      std::find_if(shades.begin(), shades.end(), [&](const heat_shade& each) { return share <= each.up_to; });
  return found == shades.end() ? shades.back() : *found;
}

std::string coloured(const heat_shade& shade, const std::string& text) {
  return "\033[48;5;" + std::to_string(shade.background) + ";38;5;" + std::to_string(shade.foreground) + "m" +
         text + "\033[0m";
}

// `width` columns, 1 or 2. Coloured cells of two columns hold the percentage.
std::string heat_cell(double share, std::size_t width, heat_map_style style) {
  const heat_shade& shade = style.colour ? shade_of(colour_shades, share) : shade_of(text_shades, share);
  const std::string glyph(shade.text);
  if (share <= 0) return width == 1 ? glyph : " " + glyph;
  if (!style.colour) return width == 1 ? glyph : glyph + glyph;
  if (width == 1) return coloured(shade, " ");
  return coloured(shade, formatted("%2.0f", std::min(99.0, std::floor(100 * share))));
}

std::string heat_legend(heat_map_style style) {
  std::string legend;
  double before = 0;
  const auto add = [&](const heat_shade& shade) {
    const std::string range = shade.up_to == 0   ? "0"
                              : shade.up_to == 1 ? "over " + formatted("%.0f %%", 100 * before)
                                                 : "to " + formatted("%.0f %%", 100 * shade.up_to);
    legend += (legend.empty() ? "" : "   ") +
              (style.colour && shade.up_to > 0 ? coloured(shade, "  ") : std::string(shade.text)) + " " +
              range;
    before = shade.up_to;
  };
  if (style.colour) {
    for (const heat_shade& shade : colour_shades)
      add(shade);
  } else {
    for (const heat_shade& shade : text_shades)
      add(shade);
  }
  return legend;
}

/// Text padded with spaces to `columns`.
std::string padded(const std::string& text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return width < columns ? text + std::string(columns - width, ' ') : text;
}

}  // namespace

std::string heat_map(const inspection::inspection_summary& summary, heat_map_style style) {
  const std::size_t width = summary.heads <= 16 ? 2 : 1;
  const std::size_t panel = std::max<std::size_t>(summary.heads * width, 18);
  std::string digits;
  for (std::size_t head = 0; head < summary.heads; ++head)
    digits += std::string(width - 1, ' ') + std::to_string(head % 10);

  std::string text = "       " + padded("on sinks, by head", panel) + "   " +
                     padded("on the first token", panel) + "   sinks  on sinks  on first\n" + "layer  " +
                     padded(digits, panel) + "   " + digits + "\n";
  const auto numbers = [](double sinks, double sink_mass, double first_mass) {
    return formatted("   %5.1f", sinks) + formatted("   %5.1f %%", 100 * sink_mass) +
           formatted("   %5.1f %%\n", 100 * first_mass);
  };
  double all_sinks = 0, all_sink_mass = 0, all_first_mass = 0;
  const std::string blank(panel - summary.heads * width, ' ');
  for (std::size_t layer = 0; layer < summary.layers; ++layer) {
    double sinks = 0, sink_mass = 0, first_mass = 0;
    std::string left, right;
    for (std::size_t head = 0; head < summary.heads; ++head) {
      const inspection::head_summary& one = summary.at(layer, head);
      left += heat_cell(one.sink_mass, width, style);
      right += heat_cell(one.first_mass, width, style);
      sinks += static_cast<double>(one.sinks) / static_cast<double>(summary.prompts);
      sink_mass += one.sink_mass;
      first_mass += one.first_mass;
    }
    const auto heads = static_cast<double>(summary.heads);
    text += formatted("%5.0f  ", static_cast<double>(layer)) + left + blank + "   " + right + blank +
            numbers(sinks / heads, sink_mass / heads, first_mass / heads);
    all_sinks += sinks / heads;
    all_sink_mass += sink_mass / heads;
    all_first_mass += first_mass / heads;
  }
  const auto layers = static_cast<double>(summary.layers);
  text += "  all  " + std::string(2 * panel + 3, ' ') +
          numbers(all_sinks / layers, all_sink_mass / layers, all_first_mass / layers);
  return text + heat_legend(style) + "   of a head's attention; sinks: a head's, each layer's mean\n";
}

}  // namespace act::report
