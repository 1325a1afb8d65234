// obqa: tab-separated columns with a header; the options stand in one column as `(A) .. (B) .. (C) .. (D)
// ..`.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "question" from the column `Question Stem`, choices from `Choices`, label from the letter in `Answer
/// Key`; the columns are found by name. Throws error (invalid_input) for a missing column and for any other
/// row.
std::vector<sample> read_openbookqa(const io::text_file& file);

}  // namespace act::tasks
