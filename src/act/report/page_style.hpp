// What every page has alike: its frame, which lets nothing be loaded from anywhere, and colours that follow
// the reader's choice of light or dark.
#pragma once

#include <string>
#include <string_view>

namespace act::report {

/// Colours as custom properties (--ink, --paper, --quiet, --line, --mark, --good, --bad), for light and dark.
extern const std::string_view page_colours;

/// A whole document. `style` and `body` are CSS and HTML, put in as they are; `title` is any text. The page
/// runs no script and loads nothing, whatever `body` holds: its policy forbids both.
[[nodiscard]] std::string static_page(std::string_view title, std::string_view style, std::string_view body);

}  // namespace act::report
