#include <act/error.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::tasks {

void json_record::refuse(const std::string& what) const {
  throw error(error_code::invalid_input, place, what);
}

const nlohmann::json& json_record::at(const std::string& key) const {
  if (!value.is_object() || !value.contains(key)) {
    refuse("has no '" + key + "'; is it another task's file?");
  }
  return value.at(key);
}

std::string json_record::text(const std::string& key) const {
  const nlohmann::json& member = at(key);
  if (!member.is_string()) {
    refuse("'" + key + "' must be a string");
  }
  return member.get<std::string>();
}

const nlohmann::json& json_record::array(const std::string& key) const {
  const nlohmann::json& member = at(key);
  if (!member.is_array()) {
    refuse("'" + key + "' must be a list");
  }
  return member;
}

std::vector<std::string> json_record::options(const std::string& key) const {
  std::vector<std::string> texts;
  for (const nlohmann::json& item : array(key)) {
    if (!item.is_string()) {
      refuse("'" + key + "' must hold strings only");
    }
    texts.push_back(item.get<std::string>());
  }
  check_option_count(texts.size());
  return texts;
}

void json_record::check_option_count(std::size_t count) const {
  if (count < 2 || count > 26) {
    refuse("has " + std::to_string(count) + " options; there must be 2 to 26");
  }
}

std::size_t json_record::index(const std::string& key, std::size_t count) const {
  const nlohmann::json& member = at(key);
  std::optional<std::size_t> found;
  if (member.is_number_unsigned()) {
    const auto number = member.get<std::uint64_t>();
    if (number < count) {
      found = static_cast<std::size_t>(number);
    }
  } else if (member.is_string()) {
    const auto digits = member.get<std::string>();
    if (!digits.empty() && digits.size() <= 4 &&
        digits.find_first_not_of("0123456789") == std::string::npos && std::stoul(digits) < count) {
      found = std::stoul(digits);
    }
  }
  if (!found) {
    refuse("'" + key + "' must be a whole number from 0 to " + std::to_string(count - 1));
  }
  return *found;
}

void for_each_json_line(const io::text_file& file, const std::function<void(const json_record&)>& use) {
  for_each_line(file, text_encoding::utf8, [&](std::string_view line, std::size_t number) {
    const nlohmann::json value = io::parse_json(line, place_of(file, number), "mend the line or remove it");
    const json_record record{place_of(file, number), value};
    if (!value.is_object()) {
      record.refuse("must be a JSON object in braces");
    }
    use(record);
  });
}

std::size_t label_position(const std::string& place, std::string_view label,
                           std::span<const std::string> names) {
  std::string known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == label) {
      return i;
    }
    known += (i == 0 ? "" : ", ") + names[i];
  }
  throw error(error_code::invalid_input, place,
              "label " + excerpt(label) + " is none of " + known + "; is it another task's file?");
}

}  // namespace act::tasks
