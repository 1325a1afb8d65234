// What every page has alike: its frame, which lets nothing be loaded from anywhere, and colours that follow
// the reader's choice of light or dark.
#pragma once

#include <string>
#include <string_view>

namespace act::report {

/// Colours as custom properties (--ink, --paper, --quiet, --line, --mark, --good, --bad), for light and dark.
[[nodiscard]] std::string page_colours();

/// CSS with the colours themselves instead of the properties, those for light: what a drawing in a file of
/// its own needs, since few programs that print one know properties.
[[nodiscard]] std::string on_light_paper(std::string_view css);

/// A whole document. `style` and `body` are CSS and HTML, put in as they are; `title` is any text. The page
/// runs no script and loads nothing, whatever `body` holds: its policy forbids both.
[[nodiscard]] std::string static_page(std::string_view title, std::string_view style, std::string_view body);

/// The same with scripts: `body` may have some. What else is in it must be made safe (html_text.hpp). It
/// still loads nothing.
[[nodiscard]] std::string live_page(std::string_view title, std::string_view style, std::string_view body);

}  // namespace act::report
