// The heat maps of the inspection page as tables of HTML: a row a layer, a cell a head, each of which the
// page's script chooses (inspection_page_parts.hpp).
#pragma once

#include <string>

namespace act::inspection {
struct inspection_summary;
}

namespace act::report {

struct page_calibration;

/// What lies on sinks and on the first token, and with net gains what each head gained alone. Some 110 bytes
/// a cell.
[[nodiscard]] std::string heat_tables(const inspection::inspection_summary& summary,
                                      const page_calibration& calibration);

}  // namespace act::report
