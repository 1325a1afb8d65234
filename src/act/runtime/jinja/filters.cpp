#include <act/io/printable.hpp>
#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/python_text.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

const marked_text& operations::text_argument(const arguments& given, std::size_t i, const std::string& of) {
  if (i >= given.items.size() || given.items[i].as_text() == nullptr) fail("'" + of + "' needs a text");
  return *given.items[i].as_text();
}

bool operations::test(const std::string& name, const value& of, const arguments& given) {
  const auto argument = [&]() -> const value& {
    check_count(name, given, 1, 1);
    return given.items[0];
  };
  static constexpr std::pair<std::string_view, comparison> comparisons[] = {
      {"equalto", comparison::equal},
      {"eq", comparison::equal},
      {"==", comparison::equal},
      {"ne", comparison::different},
      {"!=", comparison::different},
      {"in", comparison::in},
      {"lt", comparison::less},
      {"lessthan", comparison::less},
      {"<", comparison::less},
      {"le", comparison::less_equal},
      {"<=", comparison::less_equal},
      {"gt", comparison::greater},
      {"greaterthan", comparison::greater},
      {">", comparison::greater},
      {"ge", comparison::greater_equal},
      {">=", comparison::greater_equal}};
  for (const auto& [known, how] : comparisons) {
    if (name == known) return compare(how, of, argument());
  }
  static constexpr std::array<std::string_view, 17> alone{
      "defined",  "undefined", "none",    "true",  "false",      "boolean",
      "string",   "number",    "integer", "float", "mapping",    "sequence",
      "iterable", "callable",  "odd",     "even",  "divisibleby"};
  if (std::find(alone.begin(), alone.end(), name) == alone.end())
    unsupported("the test '" + io::printable(name) + "'");
  if (name == "divisibleby") return equal(arithmetic(operation::modulo, of, argument()), std::int64_t{0});
  check_count(name, given, 0, 0);
  const bool truth = of.as<bool>() != nullptr;
  if (name == "defined") return !of.is_undefined();
  if (name == "undefined") return of.is_undefined();
  if (name == "none") return of.as<none>() != nullptr;
  if (name == "true") return truth && of.truth();
  if (name == "false") return truth && !of.truth();
  if (name == "boolean") return truth;
  if (name == "string") return of.as_text() != nullptr;
  if (name == "number") return number_of(of).has_value();
  if (name == "integer") return of.as<std::int64_t>() != nullptr;
  if (name == "float") return of.as<double>() != nullptr;
  if (name == "mapping") return of.as_dict() != nullptr;
  if (name == "sequence") {  // an undefined value has a length, too
    return of.as_text() != nullptr || of.as_list() != nullptr || of.as_dict() != nullptr || of.is_undefined();
  }
  if (name == "iterable")
    return of.as_text() != nullptr || of.as_list() != nullptr || of.as_dict() != nullptr || of.is_undefined();
  if (name == "callable") return of.as<function>() != nullptr || of.as<const macro*>() != nullptr;
  const value rest = arithmetic(operation::modulo, of, std::int64_t{2});
  return equal(rest, std::int64_t{name == "odd"});
}

value operations::with_case(const std::string& name, const marked_text& of) {
  if (!is_ascii(of.bytes)) unsupported("'" + name + "' of a text that isn't ASCII");
  marked_text changed = of;
  bool begins = true;
  for (char& c : changed.bytes) {
    const bool raised = name == "upper" || ((name == "title" || name == "capitalize") && begins);
    c = raised ? upper(c) : lower(c);
    begins = name == "title" && !is_letter(c);
  }
  return text(std::move(changed));
}

value operations::joined(const std::vector<value>& items, const marked_text& between) {
  marked_text all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) {
      charge(between.bytes.size());
      all.append(between);
    }
    all.append(text_of(items[i]));
  }
  return value::text(std::move(all));
}

value operations::replaced(const marked_text& of, const value& old, const value& by, const value& count) {
  if (old.as_text() == nullptr || by.as_text() == nullptr) fail("replaces what is no text");
  if (old.as_text()->bytes.empty()) unsupported("a replacement of nothing");
  std::int64_t left = std::numeric_limits<std::int64_t>::max();
  if (count.as<none>() == nullptr) {
    const auto whole = whole_of(count);
    if (!whole) fail("replaces " + count.kind() + " times");
    if (*whole >= 0) left = *whole;
  }
  charge(of.bytes.size());
  marked_text all;
  std::size_t at = 0;
  while (left-- > 0) {
    const std::size_t found = of.bytes.find(old.as_text()->bytes, at);
    if (found == std::string::npos) break;
    all.append(of.part(at, found - at));
    charge(by.as_text()->bytes.size());
    all.append(*by.as_text());
    at = found + old.as_text()->bytes.size();
  }
  all.append(of.part(at, std::string::npos));
  return value::text(std::move(all));
}

value operations::filter(const std::string& name, const value& of, const arguments& given) {
  const auto argument = [&](std::size_t i, const value& otherwise) {
    return i < given.items.size() ? given.items[i] : otherwise;
  };
  if (name == "trim") {
    check_count(name, given, 0, 1);
    return text_method("strip", text_of(of), given);
  }
  if (name == "upper" || name == "lower" || name == "title" || name == "capitalize") {
    check_count(name, given, 0, 0);
    return with_case(name, text_of(of));
  }
  if (name == "replace") {
    check_count(name, given, 2, 3);
    return replaced(text_of(of), given.items[0], given.items[1], argument(2, none{}));
  }
  if (name == "string" || name == "safe") {
    check_count(name, given, 0, 0);
    return text(text_of(of));
  }
  if (name == "length" || name == "count") {
    check_count(name, given, 0, 0);
    std::size_t size = 0;
    if (const marked_text* counted = of.as_text()) {
      charge(counted->bytes.size() / 16);
      size = characters_of(counted->bytes).size() - 1;
    } else {
      if (of.as_list() == nullptr && of.as_dict() == nullptr && !of.is_undefined())
        fail("takes the length of " + of.kind());
      size = of.as_list() != nullptr   ? of.as_list()->size()
             : of.as_dict() != nullptr ? of.as_dict()->size()
                                       : 0;
    }
    return static_cast<std::int64_t>(size);
  }
  if (name == "default" || name == "d") {
    arguments positional = given;
    value also_false = argument(1, false);
    for (const auto& [key, each] : given.named) {
      if (key == "boolean") {
        also_false = each;
      } else if (key == "default_value" && given.items.empty()) {
        positional.items.push_back(each);
      } else {
        fail("gives '" + name + "' an argument '" + key + "'");
      }
    }
    positional.named.clear();
    check_count(name, positional, 0, 2);
    const bool replaces = of.is_undefined() || (also_false.truth() && !of.truth());
    if (!replaces) return of;
    return positional.items.empty() ? value::text("") : positional.items[0];
  }
  if (name == "list" || name == "first" || name == "last" || name == "reverse") {
    check_count(name, given, 0, 0);
    if (name == "reverse" && of.as_text() != nullptr) return slice(of, none{}, none{}, std::int64_t{-1});
    std::vector<value> items = items_of(of);
    if (name == "reverse") std::reverse(items.begin(), items.end());
    if (name == "list" || name == "reverse") return list(std::move(items));
    if (items.empty()) return undefined{};
    return name == "first" ? items.front() : items.back();
  }
  if (name == "join") {
    check_count(name, given, 0, 1);
    const value between = argument(0, value::text(""));
    return joined(items_of(of), text_of(between));
  }
  if (name == "items") {
    check_count(name, given, 0, 0);
    if (of.is_undefined()) return list({});
    return method("items", of, given);
  }
  if (name == "int") {
    check_count(name, given, 0, 1);
    if (const auto whole = whole_of(of)) return *whole;
    if (const double* real = of.as<double>()) {
      if (std::abs(*real) < 9e15) return static_cast<std::int64_t>(*real);
    } else if (const marked_text* digits = of.as_text()) {
      const auto [before, behind] = strippable(digits->bytes, nullptr);
      const std::string_view number =
          std::string_view(digits->bytes).substr(before, digits->bytes.size() - before - behind);
      std::int64_t whole = 0;
      const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), whole);
      if (problem == std::errc{} && end == number.data() + number.size()) return whole;
      if (number.find_first_of("0123456789") == std::string_view::npos) return argument(0, std::int64_t{0});
    } else if (of.is_undefined() || of.as<none>() != nullptr) {
      return argument(0, std::int64_t{0});
    }
    unsupported("'int' of " + of.kind() + " such as this");
  }
  if (name == "abs") {
    check_count(name, given, 0, 0);
    const auto number = number_of(of);
    return number && *number < 0 ? arithmetic(operation::subtract, std::int64_t{0}, of)
                                 : arithmetic(operation::add, std::int64_t{0}, of);
  }
  if (name == "tojson") {
    check_count(name, given, 0, 0);
    marked_text json;
    write_json(of, json);
    return text(std::move(json));
  }
  unsupported("the filter '" + io::printable(name) + "'");
}

// As Python's json.dumps with ensure_ascii=False.
void operations::write_json(const value& of, marked_text& to) {
  const depth_guard deeper(*this);
  charge(1);
  const auto put = [&](std::string_view text) { to.append(marked_text(text, marked_text::from_template)); };
  const auto put_text = [&](const marked_text& text) {
    charge(text.bytes.size());
    put("\"");
    for (std::size_t i = 0; i < text.bytes.size(); ++i) {
      const char c = text.bytes[i];
      constexpr std::string_view plain = "\"\\\n\r\t\b\f", spelt = "\"\\nrtbf";
      std::string written(1, c);
      if (const std::size_t which = plain.find(c); which != std::string_view::npos) {
        written = std::string("\\") + spelt[which];
      } else if (static_cast<unsigned char>(c) < 0x20) {
        constexpr std::string_view digits = "0123456789abcdef";
        written = "\\u00";
        written += digits[static_cast<unsigned char>(c) >> 4];
        written += digits[static_cast<unsigned char>(c) & 15];
      }
      to.append(marked_text(written, text.from[i]));
    }
    put("\"");
  };
  if (const marked_text* text = of.as_text()) {
    put_text(*text);
  } else if (const auto* items = of.as_list()) {
    put("[");
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (i > 0) put(", ");
      write_json((*items)[i], to);
    }
    put("]");
  } else if (const auto* members = of.as_dict()) {
    put("{");
    for (std::size_t i = 0; i < members->size(); ++i) {
      if (i > 0) put(", ");
      put_text(marked_text((*members)[i].first, marked_text::from_template));
      put(": ");
      write_json((*members)[i].second, to);
    }
    put("}");
  } else if (of.as<none>() != nullptr) {
    put("null");
  } else if (const bool* truth = of.as<bool>()) {
    put(*truth ? "true" : "false");
  } else if (number_of(of)) {
    to.append(text_of(of));
  } else {
    fail("writes " + of.kind() + " as JSON");
  }
}

}  // namespace act::runtime::jinja
