// hellaswag: JSON lines with the start of a story and endings to choose from.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "ctx"; choices = endings; label as a number or a string of digits. Throws error (invalid_input) for
/// any other line.
std::vector<sample> read_hellaswag(const io::text_file& file);

}  // namespace act::tasks
