#include <act/inspection/summary.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/inspection_heat_map.hpp>

#include <algorithm>
#include <cstddef>

namespace act::report {

namespace {

constexpr heat_scale shares = {.text = {0, 0.05, 0.15, 0.40, 1},
                               .colour = {0, 0.02, 0.05, 0.10, 0.20, 0.35, 0.55, 0.75, 1}};

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
      left += heat_cell(one.sink_mass, width, style, shares);
      right += heat_cell(one.first_mass, width, style, shares);
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
  return text + heat_legend(style, shares) + "   of a head's attention; sinks: a head's, each layer's mean\n";
}

}  // namespace act::report
