// sst5, mr, subj: `label text`, one sample a line; the label is one digit.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/readers/lines.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <vector>

namespace act::tasks {

/// Field "text", trimmed; labels 0 to label_count - 1 (at most 10). mr and subj are Latin-1, where bytes 0x80
/// to 0x9F stand inside sentences: they neither end a line nor are trimmed. Throws error (invalid_input) for
/// any other line.
std::vector<sample> read_labelled_lines(const io::text_file& file, std::size_t label_count,
                                        text_encoding encoding);

}  // namespace act::tasks
