#include <act/report/html_text.hpp>
#include <act/report/page_style.hpp>

namespace act::report {

const std::string_view page_colours = R"css(
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --quiet: #666; --line: #ddd; --mark: #0a58ca; --good: #1a7f37; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e4e4; --paper: #16181b; --quiet: #9aa0a6; --line: #3a3f45; --mark: #7ab0ff; --good: #57c77b; --bad: #ff8a7a; }
}
)css";

std::string static_page(std::string_view title, std::string_view style, std::string_view body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; "
         "base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         html_text(title) + "</title>\n<style>" + std::string(page_colours) + std::string(style) +
         "</style></head><body>\n" + std::string(body) + "</body></html>\n";
}

}  // namespace act::report
