// JSON text from files that may be damaged or hostile: bounded depth, no key twice, one-line errors with the
// place. What the values mean is the callers'. A whole file is json_file.hpp, writing is
// report/json_text.hpp.
#pragma once

#include <act/error.hpp>
#include <act/io/printable.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace act::io {

/// Deeper documents are refused: no file act reads nests deeper than ten.
inline constexpr int json_depth_limit = 64;

/// Parses one JSON document; as nlohmann::ordered_json it keeps the order of keys. `where` prefixes the
/// errors ("FILE" or "FILE:LINE"), `mend` ends them; their bytes are counted from 1, after the `offset` bytes
/// of the file that come before the text. Throws error (invalid_input) for text that isn't JSON or isn't
/// UTF-8, trailing text, a key given twice in one object (parsers differ in which one they keep), and nesting
/// beyond json_depth_limit. Cost: linear; memory a small multiple of the text.
template <class Json = nlohmann::json>
[[nodiscard]] Json parse_json(std::string_view text, const std::string& where,
                              std::string_view mend = "mend the file or fetch it again",
                              std::size_t offset = 0) {
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
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
    } else if (seen == event::key) {
      const auto& key = parsed.template get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        refuse("key '" + printable(key) + "' appears twice in one object");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const typename Json::parse_error& broken) {
    refuse("not valid JSON at byte " + std::to_string(offset + std::max<std::size_t>(broken.byte, 1)));
  } catch (const typename Json::exception&) {
    refuse("not valid JSON, a number is out of range");
  }
  return {};
}

}  // namespace act::io
