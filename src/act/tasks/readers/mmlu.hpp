// mmlu: CSV without a header, one subject a file: question, four options, the right letter.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <string>
#include <vector>

namespace act::tasks {

/// The subject in a file's name: without folder, extension and `_test`, `_dev`, `_val`, underscores as
/// spaces.
std::string mmlu_subject(const std::string& path);

/// Fields "question" and "subject" (from the file's name); cells as they are, newlines included. Throws error
/// (invalid_input) for a row without six cells or whose last isn't A to D.
std::vector<sample> read_mmlu(const io::text_file& file);

}  // namespace act::tasks
