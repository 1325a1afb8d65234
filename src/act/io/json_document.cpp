#include <act/io/json_document.hpp>
#include <act/io/json_text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::io {

namespace {

using json = nlohmann::ordered_json;

const json nothing;

}  // namespace

std::string compact_json(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string pretty_json(const json& value, std::size_t indent) {
  const bool nested =
      std::any_of(value.begin(), value.end(), [](const json& item) { return item.is_structured(); });
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
      text += compact_json(json(item.key())) + ": ";
    }
    text += pretty_json(*item, indent + 2);
  }
  text += nested ? "\n" + std::string(indent, ' ') : "";
  return text + (value.is_object() ? '}' : ']');
}

json_document::json_document(std::unique_ptr<json> held) noexcept : held_(std::move(held)) {}
json_document::json_document() noexcept = default;
json_document::json_document(const json_document& other)
    : held_(other.held_ ? std::make_unique<json>(*other.held_) : nullptr) {}
json_document::json_document(json_document&& other) noexcept = default;
json_document& json_document::operator=(const json_document& other) {
  return *this = json_document(other);
}
json_document& json_document::operator=(json_document&& other) noexcept = default;
json_document::~json_document() = default;

json_document::json_document(std::nullptr_t) noexcept {}
json_document::json_document(bool truth) : held_(std::make_unique<json>(truth)) {}
json_document::json_document(int number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(unsigned number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(long number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(unsigned long number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(long long number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(unsigned long long number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(double number) : held_(std::make_unique<json>(number)) {}
json_document::json_document(const char* text) : held_(std::make_unique<json>(std::string(text))) {}
json_document::json_document(std::string_view text) : held_(std::make_unique<json>(std::string(text))) {}
json_document::json_document(std::string text) : held_(std::make_unique<json>(std::move(text))) {}
json_document::json_document(const std::vector<std::int32_t>& list) : held_(std::make_unique<json>(list)) {}
json_document::json_document(const std::vector<std::size_t>& list) : held_(std::make_unique<json>(list)) {}
json_document::json_document(const std::vector<double>& list) : held_(std::make_unique<json>(list)) {}
json_document::json_document(const std::vector<std::string>& list) : held_(std::make_unique<json>(list)) {}

json_document json_document::of(const json& value) {
  return json_document(std::make_unique<json>(value));
}

json_document json_document::object() {
  return json_document(std::make_unique<json>(json::object()));
}

json_document json_document::object(std::initializer_list<json_member> members) {
  json_document made = object();
  for (const json_member& member : members)
    made.set(member.key, std::move(member.value));
  return made;
}

json_document json_document::array() {
  return json_document(std::make_unique<json>(json::array()));
}

json_document json_document::array(std::initializer_list<json_document> items) {
  json_document made = array();
  for (const json_document& item : items)
    made.push_back(item);
  return made;
}

json& json_document::held() {
  if (!held_) held_ = std::make_unique<json>();
  return *held_;
}

void json_document::set(std::string_view key, json_document item) {
  held()[std::string(key)] = std::move(item.held());
}

void json_document::update(const json_document& other) {
  held().update(other.value());
}

void json_document::push_back(json_document item) {
  held().push_back(std::move(item.held()));
}

std::size_t json_document::size() const noexcept {
  return value().size();
}

std::string json_document::text() const {
  return compact_json(value());
}

std::string json_document::pretty() const {
  return pretty_json(value());
}

std::string json_document::ascii() const {
  return value().dump(-1, ' ', true, json::error_handler_t::replace);
}

const json& json_document::value() const noexcept {
  return held_ ? *held_ : nothing;
}

}  // namespace act::io
