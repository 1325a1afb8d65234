// agnews, dbpedia: `class,title,description`, classes counted from 1, with or without a header.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <vector>

namespace act::tasks {

enum class csv_text { title_and_description, description };

/// Field "text": title, one space and description (agnews), or the description alone (dbpedia), as they are.
/// Label = class - 1, below label_count. A first row whose first cell isn't a number is a header. Throws
/// error (invalid_input) for any other row.
std::vector<sample> read_class_csv(const io::text_file& file, std::size_t label_count, csv_text wanted);

}  // namespace act::tasks
