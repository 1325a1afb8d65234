#include <act/error.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/printable.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace act::io {

template <class Json>
Json parse_json(std::string_view text, const std::string& where, std::string_view mend, std::size_t offset) {
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

template nlohmann::json parse_json(std::string_view text, const std::string& where, std::string_view mend,
                                   std::size_t offset);
template nlohmann::ordered_json parse_json(std::string_view text, const std::string& where,
                                           std::string_view mend, std::size_t offset);

}  // namespace act::io
