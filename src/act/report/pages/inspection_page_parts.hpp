// The style sheet and the script of the inspection page (inspection_page.hpp), as they stand in it. The
// script gets its data from the page's <script id="data">, puts text into the page as text only, and loads
// nothing.
#pragma once

#include <string_view>

namespace act::report {

extern const std::string_view inspection_page_style;
extern const std::string_view inspection_page_script;

}  // namespace act::report
