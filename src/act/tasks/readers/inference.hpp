// cb, rte: a premise, a hypothesis and how the second follows from the first, as JSON lines or as GLUE's TSV.
#pragma once

#include <act/io/text_file.hpp>
#include <act/tasks/sample.hpp>

#include <span>
#include <string>
#include <vector>

namespace act::tasks {

/// JSON lines. Fields "premise" and "hypothesis" (GLUE: "sentence1" and "sentence2"), as they are; label =
/// position of the file's word among `labels`, or that position itself. Throws error (invalid_input) for any
/// other line.
std::vector<sample> read_inference_lines(const io::text_file& file, std::span<const std::string> labels);

/// JSON lines, or tab-separated columns under a header, found by their names: sentence1, sentence2, label.
/// Throws error (invalid_input) for a header that lacks one of them or has it twice, and for any other line.
std::vector<sample> read_inference(const io::text_file& file, std::span<const std::string> labels);

}  // namespace act::tasks
