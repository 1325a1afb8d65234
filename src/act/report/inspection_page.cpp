#include <act/inspection/observation.hpp>
#include <act/inspection/summary.hpp>
#include <act/report/html_text.hpp>
#include <act/report/inspection_page.hpp>
#include <act/report/inspection_page_parts.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace act::report {

std::size_t page_picture_side(std::size_t all_heads, std::size_t tokens) {
  std::size_t side = std::min<std::size_t>(tokens, 512);
  while (side > 1 && side * (side + 1) / 2 * all_heads > page_map_bytes)
    --side;
  return side;
}

std::uint8_t share_byte(double share) noexcept {
  return static_cast<std::uint8_t>(std::lround(255 * std::sqrt(std::clamp(share, 0.0, 1.0))));
}

std::string share_colour(double share) {
  constexpr std::array<std::array<int, 3>, 5> stops = {
      {{255, 255, 255}, {253, 212, 158}, {252, 141, 89}, {215, 48, 31}, {91, 0, 0}}};
  const double at = std::sqrt(std::clamp(share, 0.0, 1.0)) * 4;
  const std::size_t i = std::min<std::size_t>(static_cast<std::size_t>(at), 3);
  std::array<unsigned, 3> mixed{};
  for (std::size_t k = 0; k < 3; ++k) {
    mixed[k] = static_cast<unsigned>(
        std::lround(stops[i][k] + (at - static_cast<double>(i)) * (stops[i + 1][k] - stops[i][k])));
  }
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", mixed[0] & 255U, mixed[1] & 255U, mixed[2] & 255U);
  return text;
}

namespace {

std::string heat_table(const inspection::inspection_summary& summary, const char* title,
                       double inspection::head_summary::*share) {
  std::string html =
      "<div><h2>" + html_text(title) + "</h2><table class=\"heat\" tabindex=\"0\"><tr><th></th>";
  for (std::size_t head = 0; head < summary.heads; ++head)
    html += "<th>" + std::to_string(head) + "</th>";
  html += "</tr>\n";
  for (std::size_t layer = 0; layer < summary.layers; ++layer) {
    html += "<tr><th>" + std::to_string(layer) + "</th>";
    for (std::size_t head = 0; head < summary.heads; ++head) {
      const inspection::head_summary& one = summary.at(layer, head);
      const double value = one.*share;
      html += "<td data-h=\"" + std::to_string(layer * summary.heads + head) +
              "\" style=\"background:" + share_colour(value) + (value > 0.3 ? ";color:#fff" : "") +
              "\" title=\"layer " + std::to_string(layer) + ", head " + std::to_string(head) + ": " +
              percent(one.sink_mass) + " on sinks, " + percent(one.first_mass) + " on the first token\">" +
              (value > 0 ? formatted("%.0f", 100 * value) : "·") + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

// Five digits are enough to look at.
double for_page(double value) {
  return std::round(value * 1e5) / 1e5;
}

// Each head's `most` strongest sinks: [[position, score, mass], ...], the strongest first.
io::json_document page_sinks(const inspection::prompt_observation& prompt, std::size_t most) {
  auto all = io::json_document::array();
  for (const inspection::head_observation& head : prompt.found) {
    std::vector<inspection::observed_sink> strongest = head.sinks;
    std::stable_sort(strongest.begin(), strongest.end(),
                     [](const inspection::observed_sink& x, const inspection::observed_sink& y) {
                       return x.mass > y.mass;
                     });
    strongest.resize(std::min(most, strongest.size()));
    auto sinks = io::json_document::array();
    for (const inspection::observed_sink& sink : strongest)
      sinks.push_back(io::json_document::array({sink.position, for_page(sink.score), for_page(sink.mass)}));
    all.push_back(std::move(sinks));
  }
  return all;
}

// Each head's strongest sink tokens: [[token, share of prompts, a prompt, mean position, share of
// attention]].
io::json_document page_tokens(const inspection::inspection_summary& summary, const runtime::tokenizer& by) {
  constexpr std::size_t tokens_of_a_head = 10;
  std::vector<io::json_document> all(summary.per_head.size(), io::json_document::array());
  const auto prompts = static_cast<double>(summary.prompts);
  for (const inspection::head_sink_token& one : summary.head_tokens) {
    io::json_document& list = all[one.layer * summary.heads + one.head];
    if (list.size() >= tokens_of_a_head) continue;
    const double each = static_cast<double>(one.count) / prompts;
    list.push_back(io::json_document::array(
        {quoted_token(by, one.token), for_page(static_cast<double>(one.prompts) / prompts), for_page(each),
         for_page(one.position), for_page(one.mass * each)}));
  }
  auto lists = io::json_document::array();
  for (io::json_document& list : all)
    lists.push_back(std::move(list));
  return lists;
}

// All heads' lower triangles, row by row.
std::vector<std::uint8_t> map_bytes(const inspection::prompt_observation& prompt) {
  std::vector<std::uint8_t> bytes;
  for (const inspection::map_picture& picture : prompt.pictures) {
    for (std::size_t row = 0; row < picture.side(); ++row) {
      for (std::size_t column = 0; column <= row; ++column)
        bytes.push_back(share_byte(static_cast<double>(picture.share(row, column))));
    }
  }
  return bytes;
}

std::string page_of(const page_heading& heading, const inspection::inspection_summary& summary,
                    const std::string& middle, const std::string& tables, io::json_document data) {
  std::size_t strongest = 0;
  for (std::size_t at = 0; at < summary.per_head.size(); ++at) {
    if (summary.per_head[at].sink_mass > summary.per_head[strongest].sink_mass) strongest = at;
  }
  data.set("layers", summary.layers);
  data.set("heads", summary.heads);
  data.set("first", strongest);
  // The policy makes sure of it: nothing from anywhere else, whatever the page holds.
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      html_text(heading.title) + "</title>\n<style>" + std::string(inspection_page_style) +
      "</style></head><body>\n<h1>" + html_text(heading.title) + "</h1>\n";
  for (const std::string& line : heading.lines)
    html += "<p>" + html_text(line) + "</p>\n";
  html +=
      "<p>" + html_text(inspection_remarks(summary)) + "</p>\n<div class=\"side\">\n" +
      heat_table(summary, "On sinks, % of a head's attention", &inspection::head_summary::sink_mass) +
      heat_table(summary, "On the first token, %", &inspection::head_summary::first_mass) +
      "<div><h2 id=\"which\"></h2><div id=\"list\"></div></div></div>\n"
      "<p class=\"quiet\">Rows are layers, columns heads. Click a head, or move with the arrow keys.</p>\n" +
      middle + tables + "<script type=\"application/json\" id=\"data\">" + script_json(data) +
      "</script>\n<script>" + std::string(inspection_page_script) + "</script>\n</body></html>\n";
  return html;
}

std::string page_table(const char* title, const std::string& table) {
  return "<h2>" + html_text(title) + "</h2>\n<pre>" + html_text(table) + "</pre>\n";
}

}  // namespace

std::string inspection_page(const page_heading& heading, const inspection::inspection_summary& summary,
                            const inspection::prompt_observation& prompt, const runtime::tokenizer& by,
                            std::size_t top) {
  const std::size_t tokens = prompt.tokens.size();
  const std::size_t side = prompt.pictures.front().side();
  io::json_document data = io::json_document::object({{"side", side}});
  auto texts = io::json_document::array();
  for (const runtime::token_id token : prompt.tokens)
    texts.push_back(quoted_token(by, token));
  data.set("tokens", std::move(texts));
  const std::size_t most_sinks = std::max<std::size_t>(page_sinks_at_most / prompt.found.size(), 10);
  data.set("sinks", page_sinks(prompt, most_sinks));
  data.set("maps", base64(map_bytes(prompt)));
  const bool with_received = tokens * prompt.received.size() <= page_received_bytes;
  if (with_received) {
    std::vector<std::uint8_t> bytes;
    for (const std::vector<double>& head : prompt.received) {
      for (const double share : head)
        bytes.push_back(share_byte(share));
    }
    data.set("received", base64(bytes));
  }
  std::string middle =
      "<h2>Attention maps</h2>\n<p>A row is the token that attends, a column the token attended to; blue "
      "marks "
      "are the chosen head's sinks. Colours go by the square root of the share.";
  if (side < tokens) {
    middle += " The prompt's " + std::to_string(tokens) + " tokens are shown in " + std::to_string(side) +
              " x " + std::to_string(side) +
              " cells to keep this page small: a cell is the share of attention that its rows give to its "
              "tokens. Sinks and all numbers in tables are of single tokens.";
  }
  if (std::any_of(prompt.found.begin(), prompt.found.end(),
                  [&](const inspection::head_observation& head) { return head.sinks.size() > most_sinks; })) {
    middle +=
        " Of a head with more than " + std::to_string(most_sinks) +
        " sinks, those that hold most of its attention are marked; the heat map and the JSON count all.";
  }
  middle +=
      "</p>\n<div class=\"side\"><div><canvas id=\"map\"></canvas><p id=\"under\"></p>"
      "<h2>The prompt, shaded by what each token gets of this head's attention</h2>\n";
  if (!with_received) {
    middle += "<p>Sinks only: the shares of " + std::to_string(tokens) + " tokens in " +
              std::to_string(prompt.received.size()) + " heads would make this page too large.</p>\n";
  }
  middle +=
      "<div id=\"tokens\"></div></div>\n<div><canvas id=\"atlas\"></canvas>"
      "<p class=\"quiet\">Every head: rows are layers.</p></div></div>\n";
  const std::string tables =
      page_table("The sinks that hold most of their head's attention",
                 strongest_sinks_table(prompt, by, top)) +
      page_table("The tokens that are sinks of most heads", sink_positions_table(prompt, by, top));
  return page_of(heading, summary, middle, tables, std::move(data));
}

std::string inspection_page(const page_heading& heading, const inspection::inspection_summary& summary,
                            const runtime::tokenizer& by, std::size_t top) {
  const std::string tables =
      page_table("The most frequent sink tokens", frequent_tokens_table(summary, by, top)) +
      page_table("The tokens that hold most of a head's attention as its sinks",
                 strongest_sinks_table(summary, by, top));
  return page_of(heading, summary, "", tables,
                 io::json_document::object({{"top", page_tokens(summary, by)}}));
}

}  // namespace act::report
