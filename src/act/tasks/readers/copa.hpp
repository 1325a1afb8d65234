// copa: a premise and two candidates for its cause or effect, as JSON lines or as the original XML.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Fields "premise" and "question" (cause or effect), two choices, label 0 or 1. A file whose first byte
/// other than white space is `<` is XML: `item` with asks-for and most-plausible-alternative (1 or 2),
/// holding p, a1, a2, each once and with text only. Throws error (invalid_input) with `FILE:LINE` for any
/// other line or item, for XML that isn't well formed, and for what could make its text another one: a
/// DOCTYPE that declares something, unknown entities, another encoding than UTF-8.
std::vector<sample> read_copa(const io::text_file& file);

}  // namespace act::tasks
