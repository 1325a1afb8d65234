// JSON text in both directions: reading it from files that may be damaged or hostile (bounded depth, no
// duplicate keys, one-line errors with the place), and writing it for people to look at.
#pragma once

#include <act/error.hpp>
#include <act/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace act::inline ACT_ABI {

/// Deeper documents are refused: no file act reads nests deeper than ten.
inline constexpr int json_depth_limit = 64;

/// Parses one JSON document; as nlohmann::ordered_json it keeps the order of keys. `where` prefixes the
/// errors ("FILE" or "FILE:LINE"), `mend` ends them. Throws error (invalid_input) for text that isn't JSON or
/// isn't UTF-8, trailing text, a key given twice in one object, and nesting beyond json_depth_limit. Cost:
/// linear; memory a small multiple of the text.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, const std::string& where,
                std::string_view mend = "mend or remove it") {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto refuse = [&](const std::string& what) {
    throw error(error_code::invalid_input, where, what + "; " + std::string(mend));
  };
  using event = typename Json::parse_event_t;
  const typename Json::parser_callback_t watch = [&](int depth, event seen, Json& parsed) {
    if ((seen == event::object_start || seen == event::array_start) && depth >= json_depth_limit) {
      refuse("nested deeper than " + std::to_string(json_depth_limit) + " levels");
    }
    if (seen == event::object_start) {
      keys.emplace_back();
    } else if (seen == event::object_end) {
      keys.pop_back();
    } else if (seen == event::key && !keys.back().insert(parsed.template get<std::string>()).second) {
      refuse("key '" + parsed.template get<std::string>() + "' appears twice in one object");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const typename Json::parse_error& broken) {
    refuse("not valid JSON at byte " + std::to_string(std::max<std::size_t>(broken.byte, 1)));
  } catch (const typename Json::exception&) {
    refuse("not valid JSON, a number is out of range");
  }
  return {};
}

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

}  // namespace act::inline ACT_ABI
