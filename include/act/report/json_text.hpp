// JSON from a file that may be damaged or hostile: bounded depth, no duplicate keys, one-line errors with the
// place.
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

/// Parses one JSON document. `where` prefixes the errors ("FILE" or "FILE:LINE"); `mend` ends them.
/// Throws error (invalid_input) for text that isn't JSON or isn't UTF-8, trailing text, a key given twice in
/// one object, and nesting beyond json_depth_limit. Cost: linear; memory a small multiple of the text.
inline nlohmann::json parse_json(std::string_view text, const std::string& where,
                                 std::string_view mend = "mend or remove it") {
  using nlohmann::json;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto refuse = [&](const std::string& what) {
    throw error(error_code::invalid_input, where, what + "; " + std::string(mend));
  };
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
        keys.emplace_back();
        [[fallthrough]];
      case json::parse_event_t::array_start:
        if (depth >= json_depth_limit) {
          refuse("nested deeper than " + std::to_string(json_depth_limit) + " levels");
        }
        break;
      case json::parse_event_t::key:
        if (!keys.back().insert(parsed.get<std::string>()).second) {
          refuse("key '" + parsed.get<std::string>() + "' appears twice in one object");
        }
        break;
      case json::parse_event_t::object_end:
        keys.pop_back();
        break;
      default:
        break;
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& broken) {
    refuse("not valid JSON at byte " + std::to_string(std::max<std::size_t>(broken.byte, 1)));
  } catch (const json::exception&) {  // a number beyond double
    refuse("not valid JSON (a number out of range)");
  }
  return {};
}

}  // namespace act::inline ACT_ABI
