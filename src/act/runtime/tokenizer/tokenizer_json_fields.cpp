#include <act/error.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/quoted_pattern.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

std::string tokenizer_json_fields::where(std::string_view place) const {
  return place.empty() ? file_ : file_ + ": '" + std::string(place) + "'";
}

void tokenizer_json_fields::fail(std::string_view place, std::string_view what) const {
  throw error(error_code::invalid_input, where(place),
              std::string(what) + "; the file is damaged, fetch it again");
}

void tokenizer_json_fields::refuse(std::string_view place, std::string_view what) const {
  throw error(error_code::unsupported, where(place), what);
}

io::json_value tokenizer_json_fields::member(io::json_value object, const std::string& key,
                                             std::string_view place) const {
  const auto found = object.find(key);
  if (!found) fail(place, "has no '" + io::printable(key) + "'");
  return *found;
}

const std::string& tokenizer_json_fields::text(io::json_value object, const char* key,
                                               std::string_view place) const {
  const io::json_value value = member(object, key, place);
  if (value.text() == nullptr) fail(place, std::string("has a '") + key + "' that isn't a text");
  return *value.text();
}

io::json_value tokenizer_json_fields::list(io::json_value object, const std::string& key,
                                           std::string_view place) const {
  const io::json_value value = member(object, key, place);
  if (!value.is_array()) fail(place, "has a '" + io::printable(key) + "' that isn't a list");
  return value;
}

const std::string& tokenizer_json_fields::character(io::json_value object, const char* key,
                                                    std::string_view place) const {
  const std::string& value = text(object, key, place);
  if (value.empty() || io::utf8_length(value, 0) != value.size())
    fail(place, std::string("has a '") + key + "' that isn't one character");
  return value;
}

bool tokenizer_json_fields::flag(io::json_value object, const char* key, std::optional<bool> fallback,
                                 std::string_view place) const {
  const auto value = object.find(key);
  if (!value && fallback) return *fallback;
  const std::optional<bool> truth = member(object, key, place).truth();
  if (!truth) fail(place, std::string("has a '") + key + "' that isn't true or false");
  return *truth;
}

token_id tokenizer_json_fields::id_of(io::json_value value, std::string_view place) const {
  const std::optional<std::uint64_t> id = value.count();
  if (!id || *id > std::numeric_limits<token_id>::max())
    fail(place, "has a token id that isn't a whole number");
  return static_cast<token_id>(*id);
}

std::string tokenizer_json_fields::pattern(io::json_value object, std::string_view place) const {
  const io::json_value given = member(object, "pattern", place);
  std::string pattern =
      given.member("Regex") ? text(given, "Regex", place) : quoted_pattern(text(given, "String", place));
  if (pattern.size() > 10'000) refuse(place, "has a pattern of more than 10,000 bytes");
  return pattern;
}

}  // namespace act::runtime
