#include <act/report/pages/html_text.hpp>
#include <act/report/pages/page_style.hpp>

#include <array>
#include <cstddef>

namespace act::report {

namespace {

struct page_colour {
  std::string_view name, light, dark;
};

constexpr std::array<page_colour, 7> colours = {{{"--ink", "#222", "#e4e4e4"},
                                                 {"--paper", "#fff", "#16181b"},
                                                 {"--quiet", "#666", "#9aa0a6"},
                                                 {"--line", "#ddd", "#3a3f45"},
                                                 {"--mark", "#0a58ca", "#7ab0ff"},
                                                 {"--good", "#1a7f37", "#57c77b"},
                                                 {"--bad", "#b42318", "#ff8a7a"}}};

std::string properties(std::string_view page_colour::*of) {
  std::string css = ":root { color-scheme: light dark;";
  for (const page_colour& each : colours)
    css += " " + std::string(each.name) + ": " + std::string(each.*of) + ";";
  return css + " }\n";
}

std::string page(std::string_view scripts, std::string_view title, std::string_view style,
                 std::string_view body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; " +
         std::string(scripts) +
         "base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         html_text(title) + "</title>\n<style>" + page_colours() + std::string(style) +
         "</style></head><body>\n" + std::string(body) + "</body></html>\n";
}

}  // namespace

std::string page_colours() {
  return properties(&page_colour::light) + "@media (prefers-color-scheme: dark) {\n" +
         properties(&page_colour::dark) + "}\n";
}

std::string on_light_paper(std::string_view css) {
  std::string made(css);
  for (const page_colour& each : colours) {
    const std::string property = "var(" + std::string(each.name) + ")";
    for (std::size_t at = 0; (at = made.find(property, at)) != std::string::npos; at += each.light.size())
      made.replace(at, property.size(), each.light);
  }
  return made;
}

std::string static_page(std::string_view title, std::string_view style, std::string_view body) {
  return page("", title, style, body);
}

std::string live_page(std::string_view title, std::string_view style, std::string_view body) {
  return page("script-src 'unsafe-inline'; ", title, style, body);
}

}  // namespace act::report
