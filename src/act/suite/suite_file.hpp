// Reads a suite from its TOML file (docs/suite.md says what stands in one). Nothing is passed over: a key
// that there isn't, a value of another type, a file that is missing is an error with the line.
#pragma once

#include <act/suite/suite.hpp>

#include <string>
#include <string_view>

namespace act::suite {

/// The suite in a TOML text. `path` is the file's: paths in it are relative to its folder, and errors begin
/// with it and the line. Checks names, types, ranges and which files there are, opens none of them. Throws
/// error (invalid_input), for files that are missing (io).
[[nodiscard]] suite parse_suite(std::string_view text, const std::string& path);

/// Throws error (io) when the file can't be read, and what parse_suite throws.
[[nodiscard]] suite read_suite(const std::string& path);

/// `pattern` with "{model}" and "{task}" replaced by their names.
[[nodiscard]] std::string with_names(std::string pattern, const suite_model& model, const suite_task& task);

}  // namespace act::suite
