#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/python_text.hpp>
#include <act/runtime/jinja/value.hpp>
#include <act/runtime/jinja/white_space.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

value operations::split(const marked_text& of, const arguments& given) {
  check_count("split", given, 0, 2);
  std::int64_t left = std::numeric_limits<std::int64_t>::max();
  if (given.items.size() > 1) {
    const auto most = whole_of(given.items[1]);
    if (!most) fail("splits " + given.items[1].kind() + " times");
    if (*most >= 0) left = *most;
  }
  charge(of.bytes.size());
  std::vector<value> parts;
  if (given.items.empty() || given.items[0].as<none>() != nullptr) {
    if (given.items.size() > 1) unsupported("'split' at white space with a number");
    std::size_t at = white_space_before(of.bytes);
    while (at < of.bytes.size()) {
      std::size_t end = at;
      while (end < of.bytes.size() && white_space_before(std::string_view(of.bytes).substr(end, 4)) == 0)
        end += std::max<std::size_t>(io::utf8_length(of.bytes, end), 1);
      parts.push_back(value::text(of.part(at, end - at)));
      at = end + white_space_before(std::string_view(of.bytes).substr(end));
    }
    return list(std::move(parts));
  }
  const marked_text& at_each = text_argument(given, 0, "split");
  if (at_each.bytes.empty()) fail("splits at an empty text");
  std::size_t at = 0;
  for (; left > 0; --left) {
    const std::size_t found = of.bytes.find(at_each.bytes, at);
    if (found == std::string::npos) break;
    parts.push_back(value::text(of.part(at, found - at)));
    at = found + at_each.bytes.size();
  }
  parts.push_back(value::text(of.part(at, std::string::npos)));
  return list(std::move(parts));
}

value operations::text_method(const std::string& name, const marked_text& of, const arguments& given) {
  charge(of.bytes.size() / 16 + 1);
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    check_count(name, given, 0, 1);
    const bool white = given.items.empty() || given.items[0].as<none>() != nullptr;
    auto [before, behind] = strippable(of.bytes, white ? nullptr : &text_argument(given, 0, name));
    if (name == "rstrip") {
      if (before == of.bytes.size()) behind = before;  // all of it
      before = 0;
    }
    if (name == "lstrip") behind = 0;
    return text(of.part(before, of.bytes.size() - before - behind));
  }
  if (name == "startswith" || name == "endswith") {
    check_count(name, given, 1, 1);
    const auto matches = [&](const value& affix) {
      if (affix.as_text() == nullptr) fail("'" + name + "' needs a text");
      const std::string& wanted = affix.as_text()->bytes;
      return name == "startswith" ? of.bytes.starts_with(wanted) : of.bytes.ends_with(wanted);
    };
    const auto* several = given.items[0].as_list();
    return several != nullptr ? std::any_of(several->begin(), several->end(), matches)
                              : matches(given.items[0]);
  }
  if (name == "removeprefix" || name == "removesuffix") {
    check_count(name, given, 1, 1);
    const std::string& affix = text_argument(given, 0, name).bytes;
    const std::size_t size = of.bytes.size();
    if (name == "removeprefix" && of.bytes.starts_with(affix)) return text(of.part(affix.size(), size));
    if (name == "removesuffix" && of.bytes.ends_with(affix)) return text(of.part(0, size - affix.size()));
    return text(of);
  }
  if (name == "upper" || name == "lower" || name == "title" || name == "capitalize") {
    check_count(name, given, 0, 0);
    return with_case(name, of);
  }
  if (name == "replace") {
    check_count(name, given, 2, 3);
    return replaced(of, given.items[0], given.items[1], given.items.size() > 2 ? given.items[2] : none{});
  }
  if (name == "split") return split(of, given);
  if (name == "join") {
    check_count(name, given, 1, 1);
    std::vector<value> items = items_of(given.items[0]);
    for (const value& each : items) {
      if (each.as_text() == nullptr) fail("joins " + each.kind() + " to a text");
    }
    return joined(items, of);
  }
  if (name == "find" || name == "count") {
    check_count(name, given, 1, 1);
    const std::string& wanted = text_argument(given, 0, name).bytes;
    if (wanted.empty()) unsupported("'" + name + "' of nothing");
    const std::size_t first = of.bytes.find(wanted);
    if (name == "find") {
      if (first == std::string::npos) return std::int64_t{-1};
      return static_cast<std::int64_t>(characters_of(std::string_view(of.bytes).substr(0, first)).size() - 1);
    }
    std::int64_t found = 0;
    for (std::size_t at = first; at != std::string::npos; at = of.bytes.find(wanted, at + wanted.size()))
      ++found;
    return found;
  }
  unsupported("a text's method '" + io::printable(name) + "'");
}

value operations::method(const std::string& name, const value& of, const arguments& given) {
  if (const marked_text* on = of.as_text()) return text_method(name, *on, given);
  const auto* members = of.as_dict();
  if (members == nullptr) unsupported("'" + io::printable(name) + "' of " + of.kind());
  charge(1 + members->size());
  if (name == "get") {
    check_count(name, given, 1, 2);
    const marked_text* key = given.items[0].as_text();
    for (const auto& [known, each] : *members) {
      if (key != nullptr && known == key->bytes) return each;
    }
    return given.items.size() > 1 ? given.items[1] : none{};
  }
  std::vector<value> found;
  if (name == "items" || name == "keys" || name == "values") {
    check_count(name, given, 0, 0);
    for (const auto& [key, each] : *members) {
      if (name == "items") {
        found.push_back(list({value::text(key), each}));
      } else {
        found.push_back(name == "keys" ? value::text(key) : each);
      }
    }
    return list(std::move(found));
  }
  unsupported("a dictionary's method '" + io::printable(name) + "'");
}

value operations::global(const std::string& name, const arguments& given) {
  if (name == "raise_exception") {
    check_count(name, given, 1, 1);
    fail("refuses the conversation: " + io::printable(text_of(given.items[0]).bytes));
  }
  if (name == "namespace" || name == "dict") {
    if (!given.items.empty()) unsupported("'" + name + "' of another value");
    if (name == "dict") return made(value::dict(given.named));
    for (const auto& [key, each] : given.named) {
      if (each.as<std::shared_ptr<name_space>>() != nullptr) unsupported("a namespace within a namespace");
    }
    return std::make_shared<name_space>(name_space{given.named});
  }
  if (name != "range") unsupported("'" + name + "'");
  check_count(name, given, 1, 3);
  std::array<std::int64_t, 3> bounds{};
  for (std::size_t i = 0; i < given.items.size(); ++i) {
    const auto whole = whole_of(given.items[i]);
    if (!whole) fail("'range' needs whole numbers");
    bounds[i] = *whole;
  }
  const std::int64_t begin = given.items.size() > 1 ? bounds[0] : 0;
  const std::int64_t end = given.items.size() > 1 ? bounds[1] : bounds[0];
  const std::int64_t step = given.items.size() > 2 ? bounds[2] : 1;
  if (step == 0) fail("'range' goes by steps of 0");
  std::vector<value> numbers;
  std::int64_t at = begin;
  while (step > 0 ? at < end : at > end) {
    charge(4);
    if (numbers.size() >= 100000) fail("'range' has more than 100,000 numbers");  // as jinja's sandbox
    numbers.push_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return list(std::move(numbers));
}

}  // namespace act::runtime::jinja
