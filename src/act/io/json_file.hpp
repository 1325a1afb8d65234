// A JSON file of a model folder, parsed with the checks that untrusted input needs (parse_json.hpp). For the
// readers of config.json, indexes and tokenizer files.
#pragma once

#include <act/io/json_value.hpp>

#include <string>

namespace act::io {

/// Parses the whole file at `path`. Throws `error`: io when it can't be read, invalid_input as `parse_json`.
[[nodiscard]] json_tree read_json(const std::string& path);

/// The same, of a file that must hold an object; otherwise invalid_input too.
[[nodiscard]] json_tree read_json_object(const std::string& path);

}  // namespace act::io
