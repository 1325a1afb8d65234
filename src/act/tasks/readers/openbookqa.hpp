// obqa: the JSON lines it is published as, or tab-separated columns with a header, where the options stand in
// one column as `(A) .. (B) .. (C) .. (D) ..`.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// A file whose first byte other than white space is `{` is read as keyed_choices.hpp says. Of any other:
/// field "question" from the column `Question Stem`, choices from `Choices`, label from the letter in `Answer
/// Key`; the columns are found by name. Throws error (invalid_input) for a missing column and for any other
/// row.
std::vector<sample> read_openbookqa(const io::text_file& file);

}  // namespace act::tasks
