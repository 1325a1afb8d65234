#include <act/inspection/predictability.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/html_text.hpp>
#include <act/report/pages/inspection_page.hpp>
#include <act/report/pages/page_style.hpp>
#include <act/report/pages/predictability_report.hpp>
#include <act/report/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace act::report {

namespace {

using inspection::head_prediction;
using inspection::kind_prediction;

constexpr heat_scale shares_explained = {.text = {0, 0.25, 0.50, 0.75, 1},
                                         .colour = {0, 0.10, 0.20, 0.35, 0.50, 0.65, 0.80, 0.90, 1}};

std::size_t most_references(const kind_prediction& kind) noexcept {
  std::size_t most = 0;
  for (const head_prediction& one : kind.found)
    most = std::max(most, one.held_out.size());
  return most;
}

std::size_t most_references(const inspection::predictability& found) noexcept {
  std::size_t most = 0;
  for (const kind_prediction& kind : found.kinds)
    most = std::max(most, most_references(kind));
  return most;
}

std::vector<double> means(const kind_prediction& kind, std::vector<double> head_prediction::*list) {
  std::vector<double> made;
  for (std::size_t references = 1; references <= most_references(kind); ++references)
    made.push_back(kind.mean(references, list).value_or(0));
  return made;
}

// With all references that it has; nothing without any.
std::optional<double> best_of(const head_prediction& one) {
  if (one.held_out.empty()) return std::nullopt;
  return one.held_out.back();
}

std::optional<double> layer_mean(const kind_prediction& kind, std::size_t layer) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t head = 0; head < kind.heads; ++head) {
    const std::optional<double> one = best_of(kind.at(layer, head));
    sum += one.value_or(0);
    count += one ? 1 : 0;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

text_table::row header(const inspection::predictability& found) {
  const std::size_t most = most_references(found);
  text_table::row row{"vectors", "heads", "numbers"};
  for (std::size_t references = 1; references <= most; ++references)
    row.push_back(std::to_string(references));
  row.insert(row.end(), {"pooled", "fitted"});
  return row;
}

text_table::row row_of(const kind_prediction& kind, std::size_t most) {
  text_table::row row{std::string(name_of(kind.of)), std::to_string(kind.layers * kind.heads),
                      std::to_string(kind.head_size)};
  for (std::size_t references = 1; references <= most; ++references) {
    const std::optional<double> mean = kind.mean(references, &head_prediction::held_out);
    row.push_back(mean ? formatted("%.3f", *mean) : "-");
  }
  const std::size_t own = most_references(kind);
  for (const auto list : {&head_prediction::pooled, &head_prediction::fitted}) {
    const std::optional<double> mean = own == 0 ? std::nullopt : kind.mean(own, list);
    row.push_back(mean ? formatted("%.3f", *mean) : "-");
  }
  return row;
}

}  // namespace

io::json_document to_json(const inspection::predictability& found) {
  io::json_document kinds = io::json_document::array();
  for (const kind_prediction& kind : found.kinds) {
    io::json_document heads = io::json_document::array();
    for (std::size_t at = 0; at < kind.found.size(); ++at) {
      const head_prediction& one = kind.found[at];
      io::json_document references = io::json_document::array();
      for (const layer_head& each : one.references)
        references.push_back(io::json_document::array({each.layer, each.head}));
      heads.push_back(io::json_document::object({{"layer", at / kind.heads},
                                                 {"head", at % kind.heads},
                                                 {"references", std::move(references)},
                                                 {"held_out", one.held_out},
                                                 {"pooled", one.pooled},
                                                 {"fitted", one.fitted}}));
    }
    kinds.push_back(io::json_document::object(
        {{"vectors", name_of(kind.of)},
         {"heads_per_layer", kind.heads},
         {"head_size", kind.head_size},
         {"mean", io::json_document::object({{"held_out", means(kind, &head_prediction::held_out)},
                                             {"pooled", means(kind, &head_prediction::pooled)},
                                             {"fitted", means(kind, &head_prediction::fitted)}})},
         {"per_head", std::move(heads)}}));
  }
  return io::json_document::object(
      {{"tokens",
        io::json_document::object({{"fitted", found.fitted_tokens}, {"held_out", found.held_out_tokens}})},
       {"vectors", std::move(kinds)}});
}

std::string predictability_table(const inspection::predictability& found) {
  text_table table(header(found));
  for (const kind_prediction& kind : found.kinds)
    table.add(row_of(kind, most_references(found)));
  return table.str();
}

std::string predictability_heat_map(const inspection::predictability& found, heat_map_style style) {
  std::string first = "layer", second(5, ' ');
  std::size_t layers = 0;
  std::vector<std::size_t> widths, panels;
  for (const kind_prediction& kind : found.kinds) {
    widths.push_back(kind.heads <= 16 ? 2 : 1);
    panels.push_back(std::max(kind.heads * widths.back(), name_of(kind.of).size()));
    std::string digits;
    for (std::size_t head = 0; head < kind.heads; ++head)
      digits += std::string(widths.back() - 1, ' ') + std::to_string(head % 10);
    first += "  " + padded(std::string(name_of(kind.of)), panels.back());
    second += "  " + padded(digits, panels.back());
    layers = kind.layers;
  }
  std::string text = first + "   mean of each\n" + second + "\n";
  for (std::size_t layer = 0; layer < layers; ++layer) {
    std::string cells = formatted("%5.0f", static_cast<double>(layer)), numbers;
    for (std::size_t i = 0; i < found.kinds.size(); ++i) {
      const kind_prediction& kind = found.kinds[i];
      cells += "  ";
      for (std::size_t head = 0; head < kind.heads; ++head) {
        const std::optional<double> one = best_of(kind.at(layer, head));
        cells += one ? heat_cell(*one, widths[i], style, shares_explained) : std::string(widths[i], '-');
      }
      cells += std::string(panels[i] - kind.heads * widths[i], ' ');
      const std::optional<double> mean = layer_mean(kind, layer);
      numbers += mean ? formatted("  %6.3f", *mean) : "       -";
    }
    text += cells + " " + numbers + "\n";
  }
  return text + heat_legend(style, shares_explained) + "   of a vector's variation (R^2)\n";
}

namespace {

constexpr std::string_view style = R"css(
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 76em; padding: 1em; }
h1 { font-size: 1.4em; margin: 0 0 .4em; overflow-wrap: anywhere; } h2 { font-size: 1.1em; margin: 1.4em 0 .4em; }
p { margin: .3em 0; max-width: 60em; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } .maps { display: flex; flex-wrap: wrap; gap: 0 2.5em; } .maps > section { min-width: 0; max-width: 100%; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; }
table.heat { border-collapse: separate; border-spacing: 1px; font-size: 10px; }
table.heat th, table.heat td { border: 0; padding: 0 .2em; } table.heat th { font-weight: normal; color: var(--quiet); }
table.heat td { min-width: 1.9em; height: 1.5em; text-align: center; color: #111; } table.heat td.none, table.heat td.mean { color: var(--quiet); }
)css";

// White at nothing, green at everything; the text stays dark on all of them.
std::string explained_colour(double share) {
  const double at = std::clamp(share, 0.0, 1.0);
  const auto mixed = [&](int full) { return std::to_string(std::lround(255 - at * (255 - full))); };
  return "rgb(" + mixed(74) + "," + mixed(178) + "," + mixed(110) + ")";
}

std::string cell_html(const head_prediction& one, std::size_t layer, std::size_t head) {
  const std::optional<double> share = best_of(one);
  std::string title = "layer " + std::to_string(layer) + ", head " + std::to_string(head);
  if (!share) return "<td class=\"none\" title=\"" + title + ": no peers\">-</td>";
  for (std::size_t i = 0; i < one.references.size(); ++i) {
    const layer_head& each = one.references[i];
    title += (i == 0 ? ": " : ", ") + formatted("%.3f", one.held_out[i]) + " with " +
             (each.layer == layer ? "" : "layer " + std::to_string(each.layer) + "'s ") + "head " +
             std::to_string(each.head);
  }
  return "<td title=\"" + title + "\" style=\"background:" + explained_colour(*share) + "\">" +
         formatted("%.0f", 100 * *share) + "</td>";
}

std::string heat_map_html(const kind_prediction& kind) {
  std::string html =
      "<section><h2>" + html_text(name_of(kind.of)) +
      "</h2><div class=\"scroll\" tabindex=\"0\"><table class=\"heat\"><thead><tr><th>layer</th>";
  for (std::size_t head = 0; head < kind.heads; ++head)
    html += "<th>" + std::to_string(head) + "</th>";
  html += "<th>mean</th></tr></thead><tbody>\n";
  for (std::size_t layer = 0; layer < kind.layers; ++layer) {
    html += "<tr><th>" + std::to_string(layer) + "</th>";
    for (std::size_t head = 0; head < kind.heads; ++head)
      html += cell_html(kind.at(layer, head), layer, head);
    const std::optional<double> mean = layer_mean(kind, layer);
    html += "<td class=\"mean\">" + (mean ? formatted("%.3f", *mean) : "-") + "</td></tr>\n";
  }
  return html + "</tbody></table></div></section>\n";
}

std::string table_row_html(const text_table::row& row, std::string_view cell) {
  std::string html = "<tr>";
  for (const std::string& each : row)
    html += "<" + std::string(cell) + ">" + html_text(each) + "</" + std::string(cell) + ">";
  return html + "</tr>\n";
}

}  // namespace

std::string predictability_page(const page_heading& heading, const inspection::predictability& found) {
  std::string body = "<h1>" + html_text(heading.title) + "</h1>\n";
  for (const std::string& line : heading.lines)
    body += "<p>" + html_text(line) + "</p>\n";
  body +=
      "<h2>Mean R² by the number of references</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead>" +
      table_row_html(header(found), "th") + "</thead><tbody>\n";
  for (const kind_prediction& kind : found.kinds)
    body += table_row_html(row_of(kind, most_references(found)), "td");
  body += "</tbody></table></div>\n<div class=\"maps\">\n";
  for (const kind_prediction& kind : found.kinds)
    body += heat_map_html(kind);
  return static_page(heading.title, style, body + "</div>\n");
}

}  // namespace act::report
