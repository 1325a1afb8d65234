// sst2: a header line, then `sentence<TAB>label`.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Field "text": all before the last tab, not trimmed (this data set's sentences end with a space). Labels 0
/// and 1. Throws error (invalid_input) for any other line, and for a first line that is a sample instead of a
/// header.
std::vector<sample> read_sentence_tsv(const io::text_file& file);

}  // namespace act::tasks
