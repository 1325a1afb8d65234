#include <act/io/json_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace act::io {

template <class Json>
std::string compact_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Json>
std::string pretty_json(const Json& value, std::size_t indent) {
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

template std::string compact_json(const nlohmann::json& value);
template std::string compact_json(const nlohmann::ordered_json& value);
template std::string pretty_json(const nlohmann::json& value, std::size_t indent);
template std::string pretty_json(const nlohmann::ordered_json& value, std::size_t indent);

}  // namespace act::io
