#include <act/inspection/average_maps.hpp>
#include <act/inspection/observation.hpp>
#include <act/inspection/summary.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/drawing.hpp>
#include <act/report/pages/html_text.hpp>
#include <act/report/pages/inspection_drawings.hpp>
#include <act/report/pages/inspection_heat_tables.hpp>
#include <act/report/pages/inspection_page.hpp>
#include <act/report/pages/inspection_page_parts.hpp>
#include <act/report/pages/page_style.hpp>
#include <act/report/pages/picture_colours.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>
#include <span>
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

std::uint8_t change_byte(double change) noexcept {
  const double root = std::sqrt(std::min(1.0, std::abs(change)));
  return static_cast<std::uint8_t>(128 + std::lround(127 * std::copysign(root, change)));
}

namespace {

// Five digits are enough to look at.
double for_page(double value) {
  return std::round(value * 1e5) / 1e5;
}

// Each head's `most` strongest sinks, the strongest first.
std::vector<std::vector<inspection::observed_sink>> strongest_sinks(
    const inspection::prompt_observation& prompt, std::size_t most) {
  std::vector<std::vector<inspection::observed_sink>> all;
  for (const inspection::head_observation& head : prompt.found) {
    std::vector<inspection::observed_sink>& strongest = all.emplace_back(head.sinks);
    std::stable_sort(strongest.begin(), strongest.end(),
                     [](const inspection::observed_sink& x, const inspection::observed_sink& y) {
                       return x.mass > y.mass;
                     });
    strongest.resize(std::min(most, strongest.size()));
  }
  return all;
}

// [[[position, score, mass], ...], ...]
io::json_document page_sinks(const std::vector<std::vector<inspection::observed_sink>>& of_heads) {
  auto all = io::json_document::array();
  for (const std::vector<inspection::observed_sink>& head : of_heads) {
    auto sinks = io::json_document::array();
    for (const inspection::observed_sink& sink : head)
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

// Lower triangles, row by row: of each map a byte for byte_of(row, column).
template <class ByteOf>
void add_triangle(std::vector<std::uint8_t>& bytes, std::size_t side, ByteOf&& byte_of) {
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column <= row; ++column)
      bytes.push_back(byte_of(row, column));
  }
}

// Sets "side", "maps" and, where there is something after, "changes". Maps are map_picture or averaged_map.
template <class Map>
void set_maps(io::json_document& data, std::span<const Map> before, std::span<const Map> after,
              std::size_t side) {
  std::vector<std::uint8_t> shares, changes;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto share = [&](const Map& map, std::size_t row, std::size_t column) {
      return static_cast<double>(map.share(row, column));
    };
    add_triangle(shares, side, [&](std::size_t row, std::size_t column) {
      return share_byte(share(before[i], row, column));
    });
    if (after.empty()) continue;
    add_triangle(changes, side, [&](std::size_t row, std::size_t column) {
      return change_byte(share(after[i], row, column) - share(before[i], row, column));
    });
  }
  data.set("side", side);
  data.set("maps", base64(shares));
  if (!after.empty()) data.set("changes", base64(changes));
}

std::string scale_bar(const char* kind, std::initializer_list<const char*> steps) {
  std::string html = "<div class=\"scale " + std::string(kind) + "\"></div><div class=\"steps\">";
  for (const char* const step : steps)
    html += "<span>" + std::string(step) + "</span>";
  return html + "</div>";
}

std::string map_figure(const char* id, const std::string& caption) {
  // At the scale's quarters: shares and changes go by square roots.
  const bool change = std::string_view(id) == "change";
  return "<figure><figcaption>" + html_text(caption) + "</figcaption><canvas id=\"" + id + "\"></canvas>" +
         (change ? scale_bar("change", {"-50 %", "-12.5", "0", "+12.5", "+50 %"})
                 : scale_bar("share", {"0 %", "6", "25", "56", "100 %"})) +
         "</figure>\n";
}

// The maps of what is chosen, for a pointer and for arrow keys.
std::string map_section(const std::string& explained, bool with_after, const std::string& calibration) {
  std::string html =
      "<section><h2>Attention maps: <span class=\"which\"></span></h2>\n<p class=\"quiet\">A row is the "
      "token "
      "that attends, a column the token attended to; marks above a head's map are its sinks. " +
      html_text(explained) + "</p>\n";
  if (with_after) html += "<p class=\"quiet\">After: " + html_text(calibration) + "</p>\n";
  html +=
      "<p class=\"quiet\" id=\"note\"></p>\n"
      "<div id=\"maps\" tabindex=\"0\" role=\"group\" aria-label=\"attention maps\">\n" +
      map_figure("before", with_after ? "before" : "the map");
  if (with_after) html += map_figure("after", "after calibration") + map_figure("change", "difference");
  return html + "</div>\n<p id=\"under\" aria-live=\"polite\"></p></section>\n";
}

// On a phone a chart keeps its size.
std::string scrolled(const drawing& drawn) {
  return "<div class=\"scroll\" tabindex=\"0\">" + drawn.in_page() + "</div>";
}

std::string page_of(const page_heading& heading, const inspection::inspection_summary& summary,
                    const page_calibration& calibration, const std::string& middle, const std::string& tables,
                    io::json_document data) {
  std::size_t strongest = 0;
  for (std::size_t at = 0; at < summary.per_head.size(); ++at) {
    if (summary.per_head[at].sink_mass > summary.per_head[strongest].sink_mass) strongest = at;
  }
  data.set("layers", summary.layers);
  data.set("heads", summary.heads);
  data.set("first", strongest);
  data.set("palettes", picture_palettes());
  std::string html = "<h1>" + html_text(heading.title) + "</h1>\n";
  for (const std::string& line : heading.lines)
    html += "<p>" + html_text(line) + "</p>\n";
  html +=
      "<p>" + html_text(inspection_remarks(summary)) + "</p>\n<div class=\"side\">\n" +
      heat_tables(summary, calibration) +
      "<div><h2>Sinks: <span class=\"which\"></span></h2><div id=\"list\" tabindex=\"0\"></div></div></div>\n"
      "<p class=\"quiet\">Rows are layers, columns heads. Click a head, or move with the arrow keys; a "
      "layer's number is the mean of its heads, the corner that of all." +
      (calibration.heads.empty() ? "" : " Framed heads are calibrated in the maps after.") + "</p>\n" +
      middle + "<div class=\"side\"><div><h2>Scores of tokens in all heads (the paper's Figure 2)</h2>\n" +
      scrolled(scores_drawing(summary, "Scores of tokens in all heads")) + "</div>\n";
  if (summary.sinks > 0)
    html += "<div><h2>Where sinks stand (Figure 5)</h2>\n" +
            scrolled(places_drawing(summary, "Where sinks stand")) + "</div>";
  html += "</div>\n" + tables + "<script type=\"application/json\" id=\"data\">" + script_json(data) +
          "</script>\n<script>" + std::string(inspection_page_script) + "</script>\n";
  return live_page(heading.title,
                   std::string(inspection_page_style) + std::string(drawing_style) + picture_classes(), html);
}

std::string page_table(const char* title, const std::string& table) {
  return "<h2>" + html_text(title) + "</h2>\n<div class=\"scroll\" tabindex=\"0\"><pre>" + html_text(table) +
         "</pre></div>\n";
}

// Every token's text, as a list; of too many those that are looked at, by position.
io::json_document page_texts(const inspection::prompt_observation& prompt, const runtime::tokenizer& by,
                             const std::vector<std::vector<inspection::observed_sink>>& sinks) {
  if (prompt.tokens.size() <= page_tokens_at_most) {
    auto texts = io::json_document::array();
    for (const runtime::token_id token : prompt.tokens)
      texts.push_back(quoted_token(by, token));
    return texts;
  }
  std::set<std::size_t> named;
  const inspection::map_picture& cells = prompt.pictures.front();
  for (std::size_t cell = 0; cell < cells.side(); ++cell) {
    named.insert(cells.first_of(cell));
    named.insert(cells.first_of(cell + 1) - 1);
  }
  for (const std::vector<inspection::observed_sink>& head : sinks) {
    for (const inspection::observed_sink& sink : head)
      named.insert(sink.position);
  }
  auto texts = io::json_document::object();
  for (const std::size_t position : named)
    texts.set(std::to_string(position), quoted_token(by, prompt.tokens[position]));
  return texts;
}

}  // namespace

std::string inspection_page(const page_heading& heading, const inspection::inspection_summary& summary,
                            const inspection::prompt_observation& prompt, const runtime::tokenizer& by,
                            std::size_t top, const page_calibration& calibration) {
  const std::size_t tokens = prompt.tokens.size();
  const std::size_t side = prompt.pictures.front().side();
  io::json_document data = io::json_document::object({{"per", "head"}, {"n", tokens}});
  const std::size_t most_sinks = std::max<std::size_t>(page_sinks_at_most / prompt.found.size(), 5);
  const auto sinks = strongest_sinks(prompt, most_sinks);
  data.set("tokens", page_texts(prompt, by, sinks));
  data.set("sinks", page_sinks(sinks));
  set_maps(data, std::span(prompt.pictures), std::span(prompt.calibrated), side);
  const bool with_received = tokens * prompt.received.size() <= page_received_bytes;
  if (with_received) {
    std::vector<std::uint8_t> bytes;
    for (const std::vector<double>& head : prompt.received) {
      for (const double share : head)
        bytes.push_back(share_byte(share));
    }
    data.set("received", base64(bytes));
  }
  std::string explained = "Colours go by the square root of the share.";
  if (side < tokens) {
    explained += " The prompt's " + std::to_string(tokens) + " tokens are shown in " + std::to_string(side) +
                 " x " + std::to_string(side) +
                 " cells to keep this page small: a cell is the share of attention that its rows give to its "
                 "tokens. Sinks and all numbers in tables are of single tokens.";
  }
  if (std::any_of(prompt.found.begin(), prompt.found.end(),
                  [&](const inspection::head_observation& head) { return head.sinks.size() > most_sinks; })) {
    explained +=
        " Of a head with more than " + std::to_string(most_sinks) +
        " sinks, those that hold most of its attention are marked; the heat map and the JSON count all.";
  }
  std::string middle = map_section(explained, !prompt.calibrated.empty(), calibration.text);
  if (tokens <= page_tokens_at_most) {
    middle += "<h2>The prompt, shaded by what each token gets of the attention</h2>\n";
    if (!with_received) {
      middle += "<p>Sinks only: the shares of " + std::to_string(tokens) + " tokens in " +
                std::to_string(prompt.received.size()) + " heads would make this page too large.</p>\n";
    }
    middle += "<div id=\"tokens\"></div>\n";
  } else {
    middle += "<p>The prompt's " + std::to_string(tokens) +
              " tokens aren't listed: they would make this page too large.</p>\n";
  }
  middle +=
      "<h2>Every head</h2>\n<canvas id=\"atlas\"></canvas><p class=\"quiet\">Rows are layers, columns heads; "
      "click one.</p>\n";
  const std::string tables =
      page_table("The sinks that hold most of their head's attention",
                 strongest_sinks_table(prompt, by, top)) +
      page_table("The tokens that are sinks of most heads", sink_positions_table(prompt, by, top));
  return page_of(heading, summary, calibration, middle, tables, std::move(data));
}

std::string inspection_page(const page_heading& heading, const inspection::inspection_summary& summary,
                            const inspection::average_maps& maps, const runtime::tokenizer& by,
                            std::size_t top, const page_calibration& calibration) {
  const std::vector<inspection::averaged_map> before = maps.before(), after = maps.after();
  const std::size_t side = before.front().side;
  io::json_document data = io::json_document::object({{"per", "layer"}, {"n", side}});
  data.set("top", page_tokens(summary, by));
  set_maps(data, std::span(before), std::span(after), side);
  const std::string explained = "These are means over " + std::to_string(maps.prompts()) +
                                " prompts: a cell is the same part of each, a " + std::to_string(side) +
                                "th. Colours go by the square root of the share.";
  const std::string tables =
      page_table("The most frequent sink tokens", frequent_tokens_table(summary, by, top)) +
      page_table("The tokens that hold most of a head's attention as its sinks",
                 strongest_sinks_table(summary, by, top));
  return page_of(heading, summary, calibration, map_section(explained, !after.empty(), calibration.text),
                 tables, std::move(data));
}

}  // namespace act::report
