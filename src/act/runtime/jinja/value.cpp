#include <act/io/printable.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime::jinja {

std::optional<double> number_of(const value& of) noexcept {
  if (const bool* truth = of.as<bool>()) return *truth ? 1.0 : 0.0;
  if (const std::int64_t* whole = of.as<std::int64_t>()) return static_cast<double>(*whole);
  if (const double* real = of.as<double>()) return *real;
  return std::nullopt;
}

value value::list(std::vector<value> of) {
  std::size_t deepest = 0;
  for (const value& each : of)
    deepest = std::max(deepest, each.depth_);
  value made(list_pointer(std::make_shared<const std::vector<value>>(std::move(of))));
  made.depth_ = deepest + 1;
  return made;
}

value value::dict(std::vector<std::pair<std::string, value>> of) {
  std::size_t deepest = 0;
  for (const auto& [key, each] : of)
    deepest = std::max(deepest, each.depth_);
  value made(dict_pointer(std::make_shared<const std::vector<std::pair<std::string, value>>>(std::move(of))));
  made.depth_ = deepest + 1;
  return made;
}

bool value::truth() const noexcept {
  if (const auto number = number_of(*this)) return *number != 0;
  if (const marked_text* text = as_text()) return !text->bytes.empty();
  if (const auto* list = as_list()) return !list->empty();
  if (const auto* dict = as_dict()) return !dict->empty();
  return !is_undefined() && as<none>() == nullptr;
}

std::string value::kind() const {
  if (const undefined* nothing = as<undefined>())
    return nothing->name.empty() ? "an undefined value" : "undefined '" + io::printable(nothing->name) + "'";
  if (as<none>() != nullptr) return "none";
  if (as<bool>() != nullptr) return "a truth value";
  if (number_of(*this)) return "a number";
  if (as_text() != nullptr) return "a text";
  if (as_list() != nullptr) return "a list";
  if (as_dict() != nullptr) return "a dictionary";
  if (as<std::shared_ptr<name_space>>() != nullptr) return "a namespace";
  return "a function";
}

}  // namespace act::runtime::jinja
