#include <act/error.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/text_file.hpp>
#include <act/tasks/readers/json_lines.hpp>
#include <act/tasks/readers/lines.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::tasks {

void json_record::refuse(const std::string& what) const {
  throw error(error_code::invalid_input, place, what);
}

bool json_record::has(const std::string& key) const {
  return value.contains(key);
}

json_record json_record::at(const std::string& key) const {
  const auto found = value.find(key);
  if (!value.is_object() || found == value.end()) {
    refuse("has no '" + key + "'; is it another task's file?");
  }
  return {place, *found};
}

std::string json_record::text(const std::string& key) const {
  std::optional<std::string> text = at(key).string();
  if (!text) {
    refuse("'" + key + "' must be a string");
  }
  return *std::move(text);
}

std::vector<json_record> json_record::items(const std::string& key) const {
  const json_record list = at(key);
  if (!list.value.is_array()) {
    refuse("'" + key + "' must be a list");
  }
  std::vector<json_record> items;
  for (const nlohmann::json& item : list.value)
    items.push_back({place, item});
  return items;
}

std::vector<std::string> json_record::options(const std::string& key) const {
  std::vector<std::string> texts;
  for (const json_record& item : items(key)) {
    std::optional<std::string> text = item.string();
    if (!text) {
      refuse("'" + key + "' must hold strings only");
    }
    texts.push_back(*std::move(text));
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
  const json_record member = at(key);
  std::optional<std::size_t> found;
  if (const std::optional<std::uint64_t> number = member.whole_number()) {
    if (*number < count) {
      found = static_cast<std::size_t>(*number);
    }
  } else if (const std::optional<std::string> digits = member.string()) {
    if (!digits->empty() && digits->size() <= 4 &&
        digits->find_first_not_of("0123456789") == std::string::npos && std::stoul(*digits) < count) {
      found = std::stoul(*digits);
    }
  }
  if (!found) {
    refuse("'" + key + "' must be a whole number from 0 to " + std::to_string(count - 1));
  }
  return *found;
}

bool json_record::is_object() const {
  return value.is_object();
}

bool json_record::is_true() const {
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::string> json_record::string() const {
  if (!value.is_string()) return std::nullopt;
  return value.get_ref<const std::string&>();
}

std::optional<std::uint64_t> json_record::whole_number() const {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

double json_record::number() const {
  if (!value.is_number()) refuse("must be a number where it is " + value.dump().substr(0, 20));
  return value.get<double>();
}

std::string json_record::as_written() const {
  return value.is_string() ? value.get_ref<const std::string&>() : value.dump();
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

void with_json_document(const io::text_file& file, const std::function<void(const json_record&)>& use) {
  const nlohmann::json document = io::parse_json(file.text, file.name, "mend the file or fetch it again");
  use({file.name, document});
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
