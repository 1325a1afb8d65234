// A JSON file of a model folder, parsed with the checks that untrusted input needs (parse_json.hpp). For the
// readers of config.json, indexes and tokenizer files.
#pragma once

#include <act/io/mapped_file.hpp>
#include <act/io/parse_json.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>

namespace act::io {

using json = nlohmann::json;

/// Parses the whole file at `path`. Throws `error`: io when it can't be read, invalid_input as `parse_json`.
[[nodiscard]] inline json read_json(const std::filesystem::path& path) {
  const mapped_file file(path);
  return parse_json(file.text(), path.string());
}

}  // namespace act::io
