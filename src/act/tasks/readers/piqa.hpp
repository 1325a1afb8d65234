// piqa: JSON lines with a goal and two ways to it; the labels are in a second file, one a line.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "goal"; choices sol1, sol2; labels 0 and 1 in the same order. Throws error (invalid_input) for any
/// other line, and when the two files don't have equally many.
std::vector<sample> read_piqa(const io::text_file& file, const io::text_file& labels);

/// The same where the rows have their labels themselves ('label'), as exports do.
std::vector<sample> read_piqa(const io::text_file& file);

}  // namespace act::tasks
