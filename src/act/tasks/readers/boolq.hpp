// boolq: JSON lines with a passage, a question and its truth value.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Fields "passage" and "question", as they are; label 0 false, 1 true, from 'answer' (BoolQ's own files) or
/// 'label' (SuperGLUE's), written as a JSON truth value, 0 or 1, or the word in any case. Throws error
/// (invalid_input) for any other line, and where both are there and differ.
std::vector<sample> read_boolq(const io::text_file& file);

}  // namespace act::tasks
