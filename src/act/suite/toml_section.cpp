#include <act/error.hpp>
#include <act/io/nearest_name.hpp>
#include <act/suite/toml_section.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace act::suite {

namespace {

std::string type_of(const toml::node& node) {
  std::ostringstream text;
  text << node.type();
  const std::string name = text.str();
  const bool vowel = !name.empty() && std::string_view("aeiou").find(name.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

}  // namespace

std::string suggestion(std::string_view given, const std::vector<std::string>& known) {
  if (const std::string nearest = io::nearest_name(given, known); !nearest.empty())
    return "did you mean '" + nearest + "'?";
  std::string list;
  for (const std::string& each : known)
    list += (list.empty() ? "" : ", ") + each;
  return list.empty() ? "there are none" : "there are " + list;
}

toml_section::toml_section(const std::string& file, const toml::table& table, std::string title)
    : file_(&file), table_(&table), title_(std::move(title)) {}

std::string toml_section::where() const {
  return *file_ + ":" + std::to_string(table_->source().begin.line);
}

std::string toml_section::where(std::string_view key) const {
  for (const auto& [name, node] : *table_) {
    if (name.str() == key) return *file_ + ":" + std::to_string(name.source().begin.line);
  }
  return where();
}

void toml_section::refuse(std::string_view key, const std::string& what) const {
  throw error(error_code::invalid_input, where(key), "'" + std::string(key) + "' " + what);
}

void toml_section::refuse_type(const std::string& key, const toml::node& found,
                               const std::string& wanted) const {
  refuse(key, "must be " + wanted + "; it is " + type_of(found));
}

bool toml_section::has(std::string_view key) const {
  return table_->contains(key);
}

const toml::node* toml_section::find(const std::string& key) {
  asked_.insert(key);
  return table_->get(key);
}

std::optional<std::string> toml_section::text(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) refuse_type(key, *node, "a text in quotes");
  return node->as_string()->get();
}

std::string toml_section::required_text(const std::string& key) {
  const std::optional<std::string> found = text(key);
  if (!found) throw error(error_code::invalid_input, where(), title_ + " lacks '" + key + "'");
  if (found->empty()) refuse(key, "is empty");
  return *found;
}

std::optional<std::string> toml_section::one_of(const std::string& key,
                                                const std::vector<std::string>& values) {
  std::optional<std::string> found = text(key);
  if (found && std::find(values.begin(), values.end(), *found) == values.end())
    refuse(key, "has no value '" + *found + "'; " + suggestion(*found, values));
  return found;
}

std::int64_t toml_section::whole_of(const std::string& key, const toml::node& node, std::int64_t least,
                                    std::int64_t most) const {
  if (!node.is_integer()) refuse_type(key, node, "a whole number");
  const std::int64_t number = node.as_integer()->get();
  if (number < least || number > most) {
    refuse(key, "is " + std::to_string(number) + ", and must be from " + std::to_string(least) + " to " +
                    std::to_string(most));
  }
  return number;
}

std::optional<std::int64_t> toml_section::whole(const std::string& key, std::int64_t least,
                                                std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  return whole_of(key, *node, least, most);
}

std::optional<double> toml_section::positive(const std::string& key, double most) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  const std::optional<double> number = node->value<double>();  // of a whole number too
  if (!number || !node->is_number()) refuse_type(key, *node, "a number");
  if (!(*number > 0 && *number <= most)) {
    std::ostringstream said;
    said << "is " << *number << ", and must be above 0 and at most " << most;
    refuse(key, said.str());
  }
  return number;
}

std::optional<bool> toml_section::truth(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_boolean()) refuse_type(key, *node, "true or false");
  return node->as_boolean()->get();
}

std::optional<std::vector<std::string>> toml_section::texts(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is_string()) return std::vector<std::string>{node->as_string()->get()};
  if (!node->is_array()) refuse_type(key, *node, "a list of texts");
  std::vector<std::string> list;
  for (const toml::node& each : *node->as_array()) {
    if (!each.is_string()) refuse(key, "must list texts; one is " + type_of(each));
    list.push_back(each.as_string()->get());
    if (std::count(list.begin(), list.end(), list.back()) > 1)
      refuse(key, "names '" + list.back() + "' twice");
  }
  return list;
}

std::optional<std::vector<std::int64_t>> toml_section::wholes(const std::string& key, std::int64_t least,
                                                              std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_array()) return std::vector<std::int64_t>{whole_of(key, *node, least, most)};
  std::vector<std::int64_t> list;
  for (const toml::node& each : *node->as_array()) {
    list.push_back(whole_of(key, each, least, most));
    if (std::count(list.begin(), list.end(), list.back()) > 1)
      refuse(key, "names " + std::to_string(list.back()) + " twice");
  }
  if (list.empty()) refuse(key, "lists nothing");
  return list;
}

std::optional<toml_section> toml_section::section(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_table()) refuse_type(key, *node, "a table");
  return toml_section(*file_, *node->as_table(), "'" + key + "' of " + title_);
}

std::vector<toml_section> toml_section::sections(const std::string& key) {
  std::vector<toml_section> found;
  const toml::node* node = find(key);
  if (node == nullptr) return found;
  if (!node->is_array_of_tables()) refuse(key, "must be tables, each under [[" + key + "]]");
  for (const toml::node& each : *node->as_array())
    found.emplace_back(*file_, *each.as_table(), "[[" + key + "]]");
  return found;
}

std::string toml_section::json() const {
  std::ostringstream text;
  text << toml::json_formatter(*table_);
  return text.str();
}

void toml_section::refuse_others() const {
  for (const auto& [key, node] : *table_) {
    if (asked_.contains(key.str())) continue;
    throw error(error_code::invalid_input, where(key.str()),
                title_ + " has no key '" + std::string(key.str()) + "'; " +
                    suggestion(key.str(), {asked_.begin(), asked_.end()}));
  }
}

}  // namespace act::suite
