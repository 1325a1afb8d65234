// cb, rte: JSON lines with a premise, a hypothesis and how the second follows from the first.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// Fields "premise" and "hypothesis", as they are; label = position of the file's word among `labels`. Throws
/// error (invalid_input) for any other line.
std::vector<sample> read_inference(const io::text_file& file, std::span<const std::string> labels);

}  // namespace act::tasks
