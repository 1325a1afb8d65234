#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/python_text.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

namespace {

// A chat template takes thousands of steps for a conversation, and some for each byte of it.
constexpr std::size_t work_for_any = std::size_t{4} << 20;
constexpr std::size_t work_for_a_byte = 64;
constexpr std::size_t deepest_calls = 400;
constexpr std::size_t deepest_value = 50;

constexpr std::array<std::string_view, 18> text_methods{
    "strip",  "lstrip",  "rstrip",       "startswith",   "endswith",   "split",
    "rsplit", "replace", "upper",        "lower",        "capitalize", "title",
    "find",   "count",   "removeprefix", "removesuffix", "join",       "splitlines"};
// Others that Python has: known not to be there as members, so that calling one is an error and no nothing.
constexpr std::array<std::string_view, 29> other_text_methods{
    "format",    "format_map", "encode",       "casefold",    "center",    "expandtabs",
    "index",     "isalnum",    "isalpha",      "isascii",     "isdigit",   "islower",
    "isspace",   "istitle",    "isupper",      "ljust",       "rjust",     "partition",
    "rfind",     "rindex",     "rpartition",   "swapcase",    "translate", "zfill",
    "isdecimal", "isnumeric",  "isidentifier", "isprintable", "maketrans"};
constexpr std::array<std::string_view, 11> dict_methods{
    "get", "items", "keys", "values", "pop", "popitem", "copy", "clear", "setdefault", "update", "fromkeys"};
constexpr std::array<std::string_view, 11> list_methods{
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"};

template <std::size_t Size>
bool is_among(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

operations::operations(const error_place& place, std::size_t bytes)
    : place_(place), work_left_(work_for_any + work_for_a_byte * bytes) {}

void operations::fail(const std::string& what) const {
  place_.refuse(line_, what);
}

void operations::unsupported(const std::string& what) const {
  place_.unsupported(line_, what + " isn't known");
}

void operations::charge(std::size_t work) {
  if (work > work_left_) place_.unsupported(line_, "takes more steps than a conversation needs");
  work_left_ -= work;
}

void operations::enter() {
  if (++depth_ > deepest_calls) {
    --depth_;
    place_.unsupported(line_, "calls itself more than " + std::to_string(deepest_calls) + " deep");
  }
}

value operations::made(value of) const {
  if (of.depth() > deepest_value)
    place_.unsupported(line_, "makes a list nested more than " + std::to_string(deepest_value) + " deep");
  return of;
}

value operations::list(std::vector<value> items) {
  charge(items.size());
  for (const value& each : items) {
    // Nothing that a template keeps may lead back to itself.
    if (each.as<std::shared_ptr<name_space>>() != nullptr) unsupported("a namespace within a list");
  }
  return made(value::list(std::move(items)));
}

value operations::text(marked_text of) {
  charge(of.bytes.size());
  return value::text(std::move(of));
}

marked_text operations::text_of(const value& of) {
  const auto own = [](std::string_view text) { return marked_text(text, marked_text::from_template); };
  if (const marked_text* text = of.as_text()) {
    charge(text->bytes.size());
    return *text;
  }
  if (of.is_undefined()) return {};
  if (of.as<none>() != nullptr) return own("None");
  if (const bool* truth = of.as<bool>()) return own(*truth ? "True" : "False");
  if (const std::int64_t* whole = of.as<std::int64_t>()) return own(std::to_string(*whole));
  if (const double* real = of.as<double>()) return own(written_number(*real));
  unsupported("how " + of.kind() + " is printed");
}

std::vector<value> operations::items_of(const value& of) {
  if (const auto* items = of.as_list()) {
    charge(items->size());
    return *items;
  }
  std::vector<value> found;
  if (const auto* members = of.as_dict()) {
    charge(members->size());
    for (const auto& [key, each] : *members)
      found.push_back(value::text(key));
  } else if (const marked_text* text = of.as_text()) {
    charge(4 * text->bytes.size());
    const std::vector<std::size_t> starts = characters_of(text->bytes);
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
      found.push_back(value::text(text->part(starts[i], starts[i + 1] - starts[i])));
  } else if (!of.is_undefined()) {
    fail("goes through " + of.kind());
  }
  return found;
}

value operations::member(const value& of, const std::string& name) {
  if (of.is_undefined()) fail("takes '" + name + "' of " + of.kind());
  const auto method = [&] { return function{name, std::make_shared<const value>(of)}; };
  if (const auto* members = of.as_dict()) {
    if (is_among(dict_methods, name)) return method();
    charge(1 + members->size() / 8);
    for (const auto& [key, each] : *members) {
      if (key == name) return each;
    }
  } else if (const auto* space = of.as<std::shared_ptr<name_space>>()) {
    charge(1 + (*space)->members.size() / 8);
    for (const auto& [key, each] : (*space)->members) {
      if (key == name) return each;
    }
  } else if (of.as_text() != nullptr) {
    if (is_among(text_methods, name) || is_among(other_text_methods, name)) return method();
  } else if (of.as_list() != nullptr) {
    if (is_among(list_methods, name)) return method();
  }
  return undefined{name};
}

value operations::subscript(const value& of, const value& by) {
  if (of.is_undefined()) fail("takes an item of " + of.kind());
  if (const marked_text* key = by.as_text()) {
    if (const auto* members = of.as_dict()) {
      charge(1 + members->size() / 8);
      for (const auto& [known, each] : *members) {
        if (known == key->bytes) return each;
      }
    }
    return member(of, key->bytes);
  }
  const std::optional<std::int64_t> index = whole_of(by);
  if (!index) return undefined{};
  const auto position = [&](std::size_t size) -> std::optional<std::size_t> {
    const auto total = static_cast<std::int64_t>(size);
    const std::int64_t from_start = *index < 0 ? *index + total : *index;
    if (from_start < 0 || from_start >= total) return std::nullopt;
    return static_cast<std::size_t>(from_start);
  };
  if (const auto* items = of.as_list()) {
    const auto found = position(items->size());
    return found ? (*items)[*found] : undefined{};
  }
  if (const marked_text* text = of.as_text()) {
    charge(text->bytes.size());
    const std::vector<std::size_t> starts = characters_of(text->bytes);
    const auto found = position(starts.size() - 1);
    if (!found) return undefined{};
    return value::text(text->part(starts[*found], starts[*found + 1] - starts[*found]));
  }
  return undefined{};
}

value operations::attribute(const value& of, const value& by) {
  const marked_text* path = by.as_text();
  if (path == nullptr) return subscript(of, by);
  value found = of;
  for (std::size_t at = 0; at <= path->bytes.size();) {
    const std::size_t dot = std::min(path->bytes.find('.', at), path->bytes.size());
    const std::string name = path->bytes.substr(at, dot - at);
    const bool index =
        !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == std::string::npos;
    found = subscript(found, index ? value(std::int64_t{std::stoll(name)}) : value::text(name));
    at = dot + 1;
  }
  return found;
}

value operations::slice(const value& of, const value& begin, const value& end, const value& step) {
  const auto bound = [&](const value& given) -> std::optional<std::int64_t> {
    if (given.as<none>() != nullptr) return std::nullopt;
    const auto whole = whole_of(given);
    if (!whole) fail("cuts by " + given.kind());
    return whole;
  };
  const std::int64_t stride = bound(step).value_or(1);
  if (stride == 0) fail("cuts by steps of 0");
  const auto positions = [&](std::size_t size) {
    const auto total = static_cast<std::int64_t>(size);
    const auto clamped = [&](std::int64_t at) {
      if (at < 0) at = at < -total ? -1 : at + total;  // -1: before the first
      if (stride > 0) return std::clamp<std::int64_t>(at, 0, total);
      return std::clamp<std::int64_t>(at, -1, total - 1);
    };
    const auto first = bound(begin), last = bound(end);
    std::int64_t at = first ? clamped(*first) : stride > 0 ? 0 : total - 1;
    const std::int64_t stop = last ? clamped(*last) : stride > 0 ? total : -1;
    std::vector<std::size_t> taken;
    while (stride > 0 ? at < stop : at > stop) {
      taken.push_back(static_cast<std::size_t>(at));
      // A stride beyond the ends takes one.
      if (stride > total || stride < -total) break;
      at += stride;
    }
    charge(taken.size());
    return taken;
  };
  if (const auto* items = of.as_list()) {
    std::vector<value> cut;
    for (const std::size_t at : positions(items->size()))
      cut.push_back((*items)[at]);
    return list(std::move(cut));
  }
  if (const marked_text* whole = of.as_text()) {
    charge(whole->bytes.size());
    const std::vector<std::size_t> starts = characters_of(whole->bytes);
    marked_text cut;
    for (const std::size_t at : positions(starts.size() - 1))
      cut.append(whole->part(starts[at], starts[at + 1] - starts[at]));
    return text(std::move(cut));
  }
  if (of.is_undefined()) fail("cuts " + of.kind());
  return undefined{};
}

}  // namespace act::runtime::jinja
