// squad: one JSON document of articles, their paragraphs and the questions on each; versions 1.1 and 2.0. Or
// an export's rows, JSON lines of a question each.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <vector>

namespace act::tasks {

/// Fields "id", "title" (underscores as spaces), "context", "question"; choices = the gold answers, none for
/// a question the paragraph doesn't answer (version 2.0's is_impossible); group = number of the paragraph in
/// the file. Rows of one context that follow each other are of one
/// paragraph. Throws error (invalid_input) naming the article, paragraph and question for anything else.
std::vector<sample> read_squad(const io::text_file& file);

}  // namespace act::tasks
