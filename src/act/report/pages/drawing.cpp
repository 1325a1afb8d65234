#include <act/report/number_text.hpp>
#include <act/report/pages/drawing.hpp>
#include <act/report/pages/html_text.hpp>
#include <act/report/pages/page_style.hpp>
#include <act/report/pages/picture_colours.hpp>

#include <map>
#include <utility>

namespace act::report {

const std::string_view drawing_style = R"css(
svg text { font: 11px system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif; }
svg .ink { fill: var(--ink); } svg .quiet { fill: var(--quiet); font-size: 11px; } svg .small { font-size: 7px; } svg .mark { fill: var(--mark); }
svg .axis { stroke: var(--line); } svg .frame { fill: none; stroke: var(--line); }
svg .interval { stroke: var(--quiet); stroke-width: 1.5; } svg .plain { stroke: var(--quiet); stroke-dasharray: 3 3; }
svg .heads { fill: var(--mark); } svg .picked { fill: none; stroke: var(--mark); stroke-width: 2; }
svg path { shape-rendering: crispEdges; }
)css";

namespace {

// Not "%g": a locale or an exponent has no place in a file of coordinates.
std::string coordinate(double value) {
  std::string text = formatted("%.2f", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + coordinate(value) + "\"";
}

std::string classed(std::string_view classes) {
  return " class=\"" + html_text(classes) + "\"";
}

// What ends an element: what a pointer sees, if anything.
std::string named(const char* element, std::string_view name) {
  if (name.empty()) return "/>\n";
  return "><title>" + html_text(name) + "</title></" + element + ">\n";
}

const char* anchor_of(text_side side) {
  switch (side) {
    case text_side::left_of:
      return " text-anchor=\"end\"";
    case text_side::around:
      return " text-anchor=\"middle\"";
    default:
      return "";
  }
}

}  // namespace

drawing::drawing(std::string title, double width, double height)
    : title_(std::move(title)), width_(width), height_(height) {}

void drawing::text(double x, double y, std::string_view text, text_side side, std::string_view classes) {
  shapes_ += "<text" + attribute("x", x) + attribute("y", y) + anchor_of(side) + classed(classes) + ">" +
             html_text(text) + "</text>\n";
}

void drawing::upright_text(double x, double y, std::string_view text, std::string_view classes) {
  shapes_ += "<text transform=\"translate(" + coordinate(x) + " " + coordinate(y) +
             ") rotate(-90)\" text-anchor=\"end\"" + classed(classes) + ">" + html_text(text) + "</text>\n";
}

void drawing::line(double x1, double y1, double x2, double y2, std::string_view classes) {
  shapes_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) + attribute("y2", y2) +
             classed(classes) + "/>\n";
}

void drawing::box(double x, double y, double width, double height, std::string_view classes,
                  std::string_view name) {
  shapes_ += "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", width) +
             attribute("height", height) + classed(classes) + named("rect", name);
}

void drawing::dot(double x, double y, double radius, std::string_view classes, std::string_view name) {
  shapes_ += "<circle" + attribute("cx", x) + attribute("cy", y) + attribute("r", radius) + classed(classes) +
             named("circle", name);
}

void drawing::cells(double x, double y, double size, std::size_t side,
                    const std::function<std::string(std::size_t, std::size_t)>& class_of) {
  std::map<std::string, std::string> paths;
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side;) {
      const std::string name = class_of(row, column);
      std::size_t end = column + 1;
      while (end < side && class_of(row, end) == name)
        ++end;
      if (!name.empty()) {
        const std::string width = std::to_string(end - column);
        paths[name] +=
            "M" + std::to_string(column) + " " + std::to_string(row) + "h" + width + "v1h-" + width + "z";
      }
      column = end;
    }
  }
  shapes_ += "<g transform=\"translate(" + coordinate(x) + " " + coordinate(y) + ") scale(" +
             formatted("%.6f", size / static_cast<double>(side)) + ")\">\n";
  for (const auto& [name, path] : paths)
    shapes_ += "<path" + classed(name) + " d=\"" + path + "\"/>\n";
  shapes_ += "</g>\n";
}

std::string drawing::in_page() const {
  return "<svg viewBox=\"0 " + coordinate(title_height) + " " + coordinate(width_) + " " +
         coordinate(height_ - title_height) + "\" width=\"" + coordinate(width_) +
         "\" role=\"img\" aria-label=\"" + html_text(title_) + "\">\n" + shapes_ + "</svg>\n";
}

std::string drawing::file() const {
  std::string title_line = "<text x=\"12\" y=\"22\" class=\"ink title\">" + html_text(title_) + "</text>\n";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
         coordinate(width_) + "\" height=\"" + coordinate(height_) + "\" viewBox=\"0 0 " +
         coordinate(width_) + " " + coordinate(height_) + "\" role=\"img\">\n<title>" + html_text(title_) +
         "</title>\n<style>" + on_light_paper(drawing_style) +
         "svg .title { font-size: 13px; font-weight: 600; }\n" + light_picture_classes() +
         "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + title_line + shapes_ +
         "</svg>\n";
}

}  // namespace act::report
