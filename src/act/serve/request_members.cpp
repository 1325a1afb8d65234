#include <act/error.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_members.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::serve {
namespace {

io::json_tree parsed(std::string_view body) {
  try {
    return io::parse_json_tree(body, "the body", "send one JSON object");
  } catch (const error& wrong) {
    throw refusal("", wrong.what());
  }
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

request_members::request_members(std::string_view body) : tree_(parsed(body)), of_(tree_->root()) {
  if (!of_.is_object()) throw refusal("", "the body: isn't an object; send one JSON object");
}

request_members::request_members(io::json_value of, std::string name)
    : of_(of), prefix_(std::move(name) + ".") {
  if (!of_.is_object()) throw refusal(prefix_.substr(0, prefix_.size() - 1), "must be an object");
}

std::optional<io::json_value> request_members::find(const std::string& name) {
  asked_.insert(name);
  return of_.find(name);
}

bool request_members::truth(const std::string& name, bool otherwise) {
  const std::optional<io::json_value> value = find(name);
  if (!value) return otherwise;
  const std::optional<bool> truth = value->truth();
  if (!truth) throw refusal(named(name), named(name) + ": must be true or false");
  return *truth;
}

std::optional<std::uint64_t> request_members::count(const std::string& name, std::uint64_t first,
                                                    std::uint64_t last) {
  const std::optional<io::json_value> value = find(name);
  if (!value) return std::nullopt;
  const std::optional<std::uint64_t> number = value->count();
  if (!number || *number < first || *number > last) {
    throw refusal(named(name), named(name) + ": must be a whole number from " + std::to_string(first) +
                                   " to " + std::to_string(last));
  }
  return number;
}

std::optional<double> request_members::number(const std::string& name, double first, double last) {
  const std::optional<io::json_value> value = find(name);
  if (!value) return std::nullopt;
  const std::optional<double> number = value->number();
  if (!number || !(*number >= first && *number <= last)) {
    throw refusal(named(name), named(name) + ": must be a number from " + short_number(first) + " to " +
                                   short_number(last));
  }
  return number;
}

std::string request_members::text(const std::string& name) {
  const std::optional<io::json_value> value = find(name);
  if (!value) throw refusal(named(name), named(name) + ": is missing");
  if (value->text() == nullptr) throw refusal(named(name), named(name) + ": must be a text");
  return *value->text();
}

void request_members::only(const std::string& name, double only, std::string_view why) {
  const std::optional<io::json_value> value = find(name);
  if (!value) return;
  const std::optional<double> number = value->number();
  if (!number || *number != only) {
    throw refusal(named(name),
                  named(name) + ": can only be " + short_number(only) + " here; " + std::string(why));
  }
}

void request_members::only_empty(const std::string& name, std::string_view why) {
  const std::optional<io::json_value> value = find(name);
  if (!value) return;
  const bool nothing = value->text() != nullptr
                           ? value->text()->empty()
                           : (value->is_object() || value->is_array()) && value->size() == 0;
  if (!nothing) throw refusal(named(name), named(name) + ": isn't supported; " + std::string(why));
}

void request_members::without_effect(const std::string& name) {
  asked_.insert(name);
}

void request_members::refuse_others() const {
  for (const auto& [name, value] : of_.members()) {
    if (asked_.find(name) != asked_.end()) continue;
    const std::string shown = prefix_ + io::printable(name);
    throw refusal(shown, shown + ": is no parameter that act-serve knows; leave it out");
  }
}

}  // namespace act::serve
