#include <act/report/html_text.hpp>
#include <act/report/number_text.hpp>
#include <act/report/page_style.hpp>
#include <act/suite/suite_page.hpp>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace act::suite {

namespace {

using report::formatted;
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
svg { width: 100%; height: auto; display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
svg .axis { stroke: var(--line); } svg .interval { stroke: var(--quiet); stroke-width: 1.5; } svg .plain { stroke: var(--quiet); stroke-dasharray: 3 3; }
svg .value { fill: var(--quiet); } svg .heads { fill: var(--mark); } svg .value.isplain { fill: var(--ink); }
table.heat { border-collapse: separate; border-spacing: 1px; font-size: 10px; }
table.heat th, table.heat td { border: 0; padding: 0 .2em; } table.heat th { font-weight: normal; color: var(--quiet); }
table.heat td { min-width: 1.9em; height: 1.5em; text-align: center; color: #111; } table.heat td.none { color: var(--quiet); }
table.heat td.picked { outline: 2px solid var(--mark); outline-offset: -1px; }
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

// What a chart shows of a way: a share and its interval.
struct charted_way {
  std::string name;
  double value = 0;
  statistics::interval interval;
  bool calibrated = false;
};

std::string number(double value) {
  return formatted("%.1f", value);
}

// A row a way: its value as a dot, its interval as a line; the plain value goes through all rows.
std::string chart(const std::string& caption, const std::vector<charted_way>& ways) {
  constexpr double left = 118, width = 210, right = 42, line = 17, top = 4;
  const double height = top + line * static_cast<double>(ways.size()) + 18;
  const auto x = [&](double share) { return left + width * std::clamp(share, 0.0, 1.0); };
  const double below = height - 16;
  std::string svg = "<figure><figcaption>" + html_text(caption) + "</figcaption><svg viewBox=\"0 0 " +
                    number(left + width + right) + " " + number(height) + "\" role=\"img\" aria-label=\"" +
                    html_text(caption) + "\">\n";
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg += "<line class=\"axis\" x1=\"" + number(x(share)) + "\" x2=\"" + number(x(share)) + "\" y1=\"" +
           number(top) + "\" y2=\"" + number(below) +
           "\"/><text class=\"value\" text-anchor=\"middle\" x=\"" + number(x(share)) + "\" y=\"" +
           number(height - 4) + "\">" + formatted("%.0f", 100 * share) + "</text>\n";
  }
  svg += "<line class=\"plain\" x1=\"" + number(x(ways.front().value)) + "\" x2=\"" +
         number(x(ways.front().value)) + "\" y1=\"" + number(top) + "\" y2=\"" + number(below) + "\"/>\n";
  double y = top + line / 2;
  for (const charted_way& way : ways) {
    std::string name = way.name;
    if (name.size() > 19) {
      std::size_t end = 18;  // never inside a character
      while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U)
        --end;
      name = name.substr(0, end) + "…";
    }
    svg += "<g><title>" + html_text(way.name) + ": " + report::percent(way.value) + ", 95 % interval " +
           report::percent_range(way.interval) + "</title><text text-anchor=\"end\" x=\"" + number(left - 8) +
           "\" y=\"" + number(y + 4) + "\">" + html_text(name) + "</text><line class=\"interval\" x1=\"" +
           number(x(way.interval.lo)) + "\" x2=\"" + number(x(way.interval.hi)) + "\" y1=\"" + number(y) +
           "\" y2=\"" + number(y) + "\"/><circle class=\"" +
           (way.calibrated          ? "heads"
            : &way == &ways.front() ? "value isplain"
                                    : "value") +
           "\" cx=\"" + number(x(way.value)) + "\" cy=\"" + number(y) +
           "\" r=\"3.5\"/><text class=\"value\" x=\"" + number(left + width + 6) + "\" y=\"" + number(y + 4) +
           "\">" + formatted("%.1f", 100 * way.value) + "</text></g>\n";
    y += line;
  }
  return svg + "</svg></figure>\n";
}

std::string chart_of(const suite_result& result) {
  std::vector<charted_way> ways;
  for (const way_result& way : result.ways) {
    const bool generated = result.kind == "generated";
    ways.push_back({.name = way.name(),
                    .value = generated ? way.answers.all.exact_match : way.summary.accuracy,
                    .interval = generated ? way.answers.all.exact_match_ci95 : way.summary.ci95,
                    .calibrated = way.heads > 0});
  }
  return chart(result.model + ", " + result.task + ", " + std::to_string(result.shots) + " shots (n " +
                   std::to_string(result.n) + (result.kind == "generated" ? ", exact match" : "") + ")",
               ways);
}

// White at nothing, green where a head gained samples, red where it lost; the text stays dark on all of them.
std::string gain_colour(double share) {
  const double at = std::clamp(std::abs(share), 0.0, 1.0);
  const auto mixed = [&](int full) { return static_cast<int>(std::lround(255 - at * (255 - full))); };
  const int channels[] = {mixed(share > 0 ? 74 : 235), mixed(share > 0 ? 178 : 100),
                          mixed(share > 0 ? 110 : 90)};
  std::string text = "rgb(";
  for (const int channel : channels)
    text += (text.back() == '(' ? "" : ",") + std::to_string(channel);
  return text + ")";
}

std::string heat_map(const searched_heads& search) {
  long long most = 1;
  std::vector<const searched_heads::trial*> cells(search.layers * search.heads, nullptr);
  for (const searched_heads::trial& trial : search.trials) {
    most = std::max(most, std::llabs(trial.net));
    cells[trial.layer * search.heads + trial.head] = &trial;
  }
  std::string html =
      "<h3>" +
      html_text(search.model + ", " + search.name + (search.task.empty() ? "" : ", " + search.task)) +
      "</h3>\n<p class=\"quiet\">Samples gained less lost with each head alone calibrated, of " +
      std::to_string(search.samples) +
      "; rows are layers, columns heads; the framed ones were chosen.</p>\n"
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"heat\"><tr><th></th>";
  for (std::size_t head = 0; head < search.heads; ++head)
    html += "<th>" + std::to_string(head) + "</th>";
  html += "</tr>\n";
  for (std::size_t layer = 0; layer < search.layers; ++layer) {
    html += "<tr><th>" + std::to_string(layer) + "</th>";
    for (std::size_t head = 0; head < search.heads; ++head) {
      const searched_heads::trial* trial = cells[layer * search.heads + head];
      if (trial == nullptr) {
        html += "<td class=\"none\" title=\"layer " + std::to_string(layer) + ", head " +
                std::to_string(head) + ": not searched\">·</td>";
        continue;
      }
      html += std::string("<td") + (trial->picked ? " class=\"picked\"" : "") + " style=\"background:" +
              gain_colour(static_cast<double>(trial->net) / static_cast<double>(most)) + "\" title=\"layer " +
              std::to_string(layer) + ", head " + std::to_string(head) + ": net " +
              formatted("%+.0f", static_cast<double>(trial->net)) + ", log-likelihood " +
              formatted("%+.4f", trial->log_likelihood_gain) + "\">" + std::to_string(trial->net) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string suite_page(const suite_results& of, std::string_view title) {
  std::string body = "<h1>" + html_text(title) + "</h1>\n";
  for (const std::string& line : unfinished(of))
    body += "<p>" + html_text(line) + "</p>\n";
  body +=
      "<h2>Accuracy, with 95 % intervals</h2>\n<p class=\"quiet\">Per cent. The dashed line is the plain "
      "model; ways "
      "that calibrate heads are coloured.</p>\n<div class=\"charts\">\n";
  for (const suite_result& result : of.results)
    body += chart_of(result);
  body += "</div>\n<h2>Tables</h2>\n";
  for (const result_table& table : paper_tables(of))
    body += table_html(table);
  for (const result_table& table : {ways_table(of), answers_table(of)}) {
    if (!table.rows.empty()) body += table_html(table);
  }
  if (!of.searches.empty()) body += "<h2>Heads, as the searches found them</h2>\n";
  for (const searched_heads& search : of.searches) {
    if (!search.trials.empty()) body += heat_map(search);
  }
  if (!of.builds.empty()) body += "<h2>Made by</h2>\n";
  for (const std::string& build : of.builds)
    body += "<p class=\"quiet\">" + html_text(build) + "</p>\n";
  return report::static_page(title, style, body);
}

}  // namespace act::suite
