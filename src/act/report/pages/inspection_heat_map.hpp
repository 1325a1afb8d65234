// A picture of all heads for a terminal: a row a layer, a cell a head, shaded by the share of attention that
// lies on the head's sinks and, beside it, on the first token. Shades of text where there is no colour.
#pragma once

#include <act/report/pages/heat_cell.hpp>

#include <string>

namespace act::inspection {
struct inspection_summary;
}

namespace act::report {

/// The picture: two panels side by side (on sinks, on the first token), each layer's means at the right, a
/// legend below. Cells are two columns wide up to 16 heads, else one. Lines end with a newline.
[[nodiscard]] std::string heat_map(const inspection::inspection_summary& summary, heat_map_style style = {});

}  // namespace act::report
