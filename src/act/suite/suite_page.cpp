#include <act/report/pages/drawing.hpp>
#include <act/report/pages/html_text.hpp>
#include <act/report/pages/page_style.hpp>
#include <act/report/pages/picture_colours.hpp>
#include <act/suite/suite_drawings.hpp>
#include <act/suite/suite_page.hpp>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace act::suite {

namespace {

using report::html_text;

constexpr std::string_view style = R"css(
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 76em; padding: 1em; }
h1 { font-size: 1.4em; margin: 0 0 .4em; overflow-wrap: anywhere; } h2 { font-size: 1.15em; margin: 1.8em 0 .5em; } h3 { font-size: 1em; margin: 1.2em 0 .3em; }
p { margin: .3em 0; max-width: 60em; } .quiet { color: var(--quiet); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .7em; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th.name, td.name { text-align: left; } tr.improv td { color: var(--quiet); } tr.first td { border-top: 2px solid var(--line); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22em, 100%), 1fr)); gap: 1em 2em; }
figure { margin: 0; min-width: 0; } figcaption { font-size: 13px; font-weight: 600; margin-bottom: .2em; overflow-wrap: anywhere; }
svg { height: auto; display: block; } .charts svg { width: 100%; max-width: 36em; }
)css";

std::string cell(std::string_view tag, std::string_view text, bool name) {
  std::string html = "<";
  html += tag;
  if (name) html += " class=\"name\"";
  return html + ">" + html_text(text) + "</" + std::string(tag) + ">";
}

std::string table_html(const result_table& table) {
  std::string html =
      "<h3>" + html_text(table.title) + "</h3>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>";
  for (std::size_t i = 0; i < table.header.size(); ++i)
    html += cell("th", table.header[i], i < table.names);
  html += "</tr></thead><tbody>\n";
  std::string before;
  for (const std::vector<std::string>& row : table.rows) {
    // A line above each model and setting; those are the first two columns, and a task's name the second.
    const std::string group = row.front() + "\n" + (row.size() > 1 && table.names > 2 ? row[1] : "");
    const bool improvement = std::find(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(table.names),
                                       "Improv.") != row.begin() + static_cast<std::ptrdiff_t>(table.names);
    html += improvement ? "<tr class=\"improv\">" : group != before ? "<tr class=\"first\">" : "<tr>";
    before = group;
    for (std::size_t i = 0; i < row.size(); ++i)
      html += cell("td", row[i], i < table.names);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string figure(const report::drawing& drawn, const std::string& caption) {
  return "<figure><figcaption>" + html_text(caption) + "</figcaption>" + drawn.in_page() + "</figure>\n";
}

}  // namespace

std::string suite_page(const suite_results& of, std::string_view title) {
  std::string body = "<h1>" + html_text(title) + "</h1>\n";
  for (const std::string& line : unfinished(of))
    body += "<p>" + html_text(line) + "</p>\n";
  if (!of.results.empty()) {
    body +=
        "<h2>Accuracy, with 95 % intervals</h2>\n<p class=\"quiet\">Per cent. The dashed line is the plain "
        "model; ways that calibrate heads are coloured.</p>\n<div class=\"charts\">\n";
    for (const suite_result& result : of.results) {
      const report::drawing drawn = accuracy_drawing(result);
      body += figure(drawn, drawn.title());
    }
    body += "</div>\n<h2>Tables</h2>\n";
  }
  for (const result_table& table : paper_tables(of))
    body += table_html(table);
  for (const result_table& table : {ways_table(of), answers_table(of)}) {
    if (!table.rows.empty()) body += table_html(table);
  }
  if (!of.searches.empty()) body += "<h2>Heads, as the searches found them</h2>\n";
  for (const searched_heads& search : of.searches) {
    if (search.trials.empty()) continue;
    const report::drawing drawn = gains_drawing(search);
    body += "<h3>" + html_text(drawn.title()) + "</h3>\n<p class=\"quiet\">" +
            html_text(gains_remark(search)) + ".</p>\n<div class=\"scroll\" tabindex=\"0\">" +
            figure(drawn, "") + "</div>\n";
  }
  if (!of.builds.empty()) body += "<h2>Made by</h2>\n";
  for (const std::string& build : of.builds)
    body += "<p class=\"quiet\">" + html_text(build) + "</p>\n";
  return report::static_page(
      title, std::string(style) + std::string(report::drawing_style) + report::picture_classes(), body);
}

}  // namespace act::suite
