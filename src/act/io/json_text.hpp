// JSON text for people to look at and for programs to read. The other direction is
// runtime/files/parse_json.hpp.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace act::io {

/// On one line. Numbers that JSON doesn't have (NaN, infinity) become null, bytes that aren't UTF-8 become
/// U+FFFD.
template <class Json>
std::string compact_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Indented by two, but objects and lists that hold no others stay on one line. Ends without a newline.
template <class Json>
std::string pretty_json(const Json& value, std::size_t indent = 0) {
  const bool nested =
      std::any_of(value.begin(), value.end(), [](const Json& item) { return item.is_structured(); });
  if (!value.is_structured()) {
    return compact_json(value);
  }
  const std::string inner = nested ? "\n" + std::string(indent + 2, ' ') : "";
  std::string text(1, value.is_object() ? '{' : '[');
  bool first = true;
  for (auto item = value.begin(); item != value.end(); ++item) {
    text += first ? inner : "," + (nested ? inner : " ");
    first = false;
    if (value.is_object()) {
      text += compact_json(Json(item.key())) + ": ";
    }
    text += pretty_json(*item, indent + 2);
  }
  text += nested ? "\n" + std::string(indent, ' ') : "";
  return text + (value.is_object() ? '}' : ']');
}

}  // namespace act::io
