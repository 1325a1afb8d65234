#include <act/inspection/summary.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/html_text.hpp>
#include <act/report/pages/inspection_heat_tables.hpp>
#include <act/report/pages/inspection_page.hpp>
#include <act/report/pages/picture_colours.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace act::report {

namespace {

std::string selectable(std::string_view tag, long long layer, long long head) {
  return "<" + std::string(tag) + " data-l=\"" + std::to_string(layer) + "\" data-h=\"" +
         std::to_string(head) + "\"";
}

// A cell of a heat map: how it looks, what it says, and what a pointer sees.
struct heat_cell_html {
  std::string classes;
  std::string text;
  std::string said;
};

// A cell for each (layer, head). The numbers of layers choose the mean of their heads, the corner that of
// all.
template <class CellOf>
std::string heat_table(std::size_t layers, std::size_t heads, const std::string& title,
                       const head_set& framed, CellOf&& cell_of) {
  std::string html = "<div><h2>" + html_text(title) +
                     "</h2><div class=\"scroll heads\" tabindex=\"0\"><table class=\"heat\"><tr>" +
                     selectable("th", -1, -1) + " title=\"mean of all heads\">all</th>";
  for (std::size_t head = 0; head < heads; ++head)
    html += "<th>" + std::to_string(head) + "</th>";
  html += "</tr>\n";
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto number = static_cast<long long>(layer);
    html += "<tr>" + selectable("th", number, -1) + " title=\"layer " + std::to_string(layer) +
            ", mean of its heads\">" + std::to_string(layer) + "</th>";
    for (std::size_t head = 0; head < heads; ++head) {
      const heat_cell_html cell = cell_of(layer, head);
      html += selectable("td", number, static_cast<long long>(head)) + " class=\"" + cell.classes +
              (framed.contains(layer, head) ? " picked" : "") + "\" title=\"layer " + std::to_string(layer) +
              ", head " + std::to_string(head) + ": " + cell.said + "\">" + cell.text + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div></div>\n";
}

std::string share_table(const inspection::inspection_summary& summary, const char* title,
                        const head_set& framed, double inspection::head_summary::*share) {
  return heat_table(summary.layers, summary.heads, title, framed, [&](std::size_t layer, std::size_t head) {
    const double value = summary.at(layer, head).*share;
    return heat_cell_html{.classes = share_class(share_level(value)),
                          .text = value > 0 ? formatted("%.0f", 100 * value) : "·",
                          .said = percent(value)};
  });
}

// Colours go by the largest gain or loss.
std::string gains_table(const inspection::inspection_summary& summary, const page_calibration& calibration) {
  long long most = 1;
  for (const std::optional<long long>& net : calibration.net_gains)
    most = std::max(most, std::abs(net.value_or(0)));
  return heat_table(
      summary.layers, summary.heads, "Gained alone, of " + std::to_string(calibration.samples) + " samples",
      calibration.heads, [&](std::size_t layer, std::size_t head) {
        const std::optional<long long> net = calibration.net_gains[layer * summary.heads + head];
        if (!net) return heat_cell_html{.classes = "none", .text = "·", .said = "not searched"};
        const double share = static_cast<double>(*net) / static_cast<double>(most);
        return heat_cell_html{
            .classes = change_class(static_cast<int>(std::lround(change_levels * share))),
            .text = std::to_string(*net),
            .said = "samples gained less lost " + formatted("%+.0f", static_cast<double>(*net))};
      });
}

}  // namespace

std::string heat_tables(const inspection::inspection_summary& summary, const page_calibration& calibration) {
  return share_table(summary, "On sinks, % of a head's attention", calibration.heads,
                     &inspection::head_summary::sink_mass) +
         share_table(summary, "On the first token, %", calibration.heads,
                     &inspection::head_summary::first_mass) +
         (calibration.net_gains.empty() ? "" : gains_table(summary, calibration));
}

}  // namespace act::report
