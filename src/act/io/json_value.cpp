#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/parse_json.hpp>
#include <act/io/printable.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::io {

template <class Json>
Json parse_json(std::string_view text, const std::string& where, std::string_view mend, std::size_t offset) {
  std::vector<std::unordered_set<std::string>> keys;  // of the objects that are open
  const auto refuse = [&](const std::string& what) {
    throw error(error_code::invalid_input, where, what + "; " + std::string(mend));
  };
  const auto refuse_at = [&](std::size_t byte) {  // counted from 1
    refuse("not valid JSON at byte " + std::to_string(offset + std::max<std::size_t>(byte, 1)));
  };
  // To the library it is the end of the text, and what follows would be passed over.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) refuse_at(zero + 1);
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
    refuse_at(broken.byte);
  } catch (const typename Json::exception&) {
    refuse("not valid JSON, a number is out of range");
  }
  return {};
}

template nlohmann::json parse_json(std::string_view text, const std::string& where, std::string_view mend,
                                   std::size_t offset);
template nlohmann::ordered_json parse_json(std::string_view text, const std::string& where,
                                           std::string_view mend, std::size_t offset);

using json = nlohmann::json;

bool json_value::is_null() const noexcept {
  return of_->is_null();
}
bool json_value::is_object() const noexcept {
  return of_->is_object();
}
bool json_value::is_array() const noexcept {
  return of_->is_array();
}

std::optional<bool> json_value::truth() const {
  return of_->is_boolean() ? std::optional(of_->get<bool>()) : std::nullopt;
}
std::optional<std::uint64_t> json_value::count() const {
  return of_->is_number_unsigned() ? std::optional(of_->get<std::uint64_t>()) : std::nullopt;
}
std::optional<double> json_value::number() const {
  return of_->is_number() ? std::optional(of_->get<double>()) : std::nullopt;
}
const std::string* json_value::text() const noexcept {
  return of_->get_ptr<const std::string*>();
}
bool json_value::is_text(std::string_view wanted) const noexcept {
  const std::string* const own = text();
  return own != nullptr && *own == wanted;
}

std::size_t json_value::size() const noexcept {
  return of_->size();
}
json_value json_value::operator[](std::size_t item) const {
  return json_value((*of_)[item]);
}
std::vector<json_value> json_value::items() const {
  std::vector<json_value> found;
  if (!is_array()) return found;
  found.reserve(size());
  for (const json& each : *of_)
    found.emplace_back(each);
  return found;
}

std::optional<json_value> json_value::member(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  const auto at = of_->find(std::string(key));
  return at == of_->end() ? std::nullopt : std::optional(json_value(*at));
}
std::optional<json_value> json_value::find(std::string_view key) const {
  const std::optional<json_value> found = member(key);
  return found && found->is_null() ? std::nullopt : found;
}
std::vector<std::pair<std::string_view, json_value>> json_value::members() const {
  std::vector<std::pair<std::string_view, json_value>> found;
  if (!is_object()) return found;
  found.reserve(size());
  for (auto at = of_->begin(); at != of_->end(); ++at)
    found.emplace_back(at.key(), json_value(*at));
  return found;
}

json_tree::json_tree(json&& held) : held_(std::make_shared<const json>(std::move(held))) {}

json_tree parse_json_tree(std::string_view text, const std::string& where, std::string_view mend,
                          std::size_t offset) {
  return json_tree(parse_json(text, where, mend, offset));
}

json_tree read_json(const std::string& path) {
  const mapped_file file(path);
  return parse_json_tree(file.text(), path);
}

json_tree read_json_object(const std::string& path) {
  json_tree tree = read_json(path);
  if (!tree.root().is_object())
    throw error(error_code::invalid_input, path, "isn't a JSON object; fetch it again");
  return tree;
}

}  // namespace act::io
