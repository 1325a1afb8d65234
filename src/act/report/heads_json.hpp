// Which heads were calibrated, as results record it.
#pragma once

namespace act::io {
class json_document;
}
namespace act::runtime {
struct model_calibration;
}

namespace act::report {

/// Sets "calibrated_heads", a list of [layer, head], or [layer, head, strength], and "heads_sha256": the same
/// for the same heads, whichever file they come from.
void add_heads(io::json_document& document, const runtime::model_calibration& calibration);

}  // namespace act::report
