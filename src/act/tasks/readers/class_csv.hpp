// agnews, dbpedia: `class,title,description`, classes counted from 1; or the columns that a header names.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <vector>

namespace act::tasks {

enum class csv_text { title_and_description, description };

/// Field "text": title, one space and description (agnews), or the description alone (dbpedia), as they are.
/// Label = class - 1, below label_count. A first row none of whose cells is a number is a header, and the
/// columns are found by its names, in any case: the class under `Class Index`, `class` or `label`, the title
/// under `Title`, the text under `Description` or `content`; others are passed over. Without a header there
/// are these three. Throws error (invalid_input) for any other row, and for a header that lacks one.
std::vector<sample> read_class_csv(const io::text_file& file, std::size_t label_count, csv_text wanted);

}  // namespace act::tasks
