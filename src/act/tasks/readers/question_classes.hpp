// trec: `COARSE:fine text`, one question a line; the coarse class is the label.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// Field "text", trimmed; label = position of the coarse class among `classes`. Some copies of the file hold
/// the single byte 0xF0: where the file isn't UTF-8, that byte is replaced by a space. Throws error
/// (invalid_input) for any other line.
std::vector<sample> read_question_classes(io::text_file file, std::span<const std::string> classes);

}  // namespace act::tasks
