// sst2: the header `sentence<TAB>label`, then a sample a line.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "text": all before the last tab, not trimmed (this data set's sentences end with a space). Labels 0
/// and 1. Throws error (invalid_input) for any other line, and for any other header: with more columns, as in
/// GLUE's other exports, a tab within a sentence couldn't be told from one between columns.
std::vector<sample> read_sentence_tsv(const io::text_file& file);

}  // namespace act::tasks
