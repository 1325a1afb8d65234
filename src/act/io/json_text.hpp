// JSON text for people to look at and for programs to read. The other direction is parse_json.hpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>

namespace act::io {

/// On one line. Numbers that JSON doesn't have (NaN, infinity) become null, bytes that aren't UTF-8 become
/// U+FFFD.
[[nodiscard]] std::string compact_json(const nlohmann::ordered_json& value);

/// Indented by two, but objects and lists that hold no others stay on one line. Ends without a newline.
[[nodiscard]] std::string pretty_json(const nlohmann::ordered_json& value, std::size_t indent = 0);

}  // namespace act::io
