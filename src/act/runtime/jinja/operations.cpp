#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>
#include <act/runtime/jinja/white_space.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

namespace {

// A chat template takes thousands of steps for a conversation, and some for each byte of it.
constexpr std::size_t work_for_any = std::size_t{4} << 20;
constexpr std::size_t work_for_a_byte = 64;
constexpr std::size_t deepest_calls = 400;
constexpr std::size_t deepest_value = 50;

std::optional<std::int64_t> whole_of(const value& of) noexcept {
  if (const bool* truth = of.as<bool>()) return *truth ? 1 : 0;
  if (const std::int64_t* whole = of.as<std::int64_t>()) return *whole;
  return std::nullopt;
}

// Positions of the characters' first bytes, and the end.
std::vector<std::size_t> characters_of(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) starts.push_back(at);
  }
  starts.push_back(text.size());
  return starts;
}

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
bool is_letter(char c) noexcept {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

// As Python's repr.
std::string written_number(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  std::array<char, 64> digits = {};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(digits.data(), end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

// What begins and what ends `text` that strip() takes: white space, or any of the characters of `of`.
std::pair<std::size_t, std::size_t> strippable(std::string_view text, const marked_text* of) {
  if (of == nullptr) {
    const std::size_t before = white_space_before(text);
    return {before, before == text.size() ? 0 : white_space_behind(text)};
  }
  const std::vector<std::size_t> starts = characters_of(text);
  const auto stripped = [&](std::size_t i) {
    return of->bytes.find(text.substr(starts[i], starts[i + 1] - starts[i])) != std::string::npos;
  };
  std::size_t first = 0, last = starts.size() - 1;
  while (first < last && stripped(first))
    ++first;
  while (last > first && stripped(last - 1))
    --last;
  return {starts[first], text.size() - starts[last]};
}

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

value operations::arithmetic(operation what, const value& left, const value& right) {
  const auto refuse = [&]() -> value {
    if (what == operation::modulo && left.as_text() != nullptr) unsupported("a text's '%'");
    fail("computes with " + left.kind() + " and " + right.kind());
  };
  if (what == operation::add && left.as_text() != nullptr && right.as_text() != nullptr) {
    marked_text both = *left.as_text();
    both.append(*right.as_text());
    return text(std::move(both));
  }
  if (what == operation::add && left.as_list() != nullptr && right.as_list() != nullptr) {
    std::vector<value> both = *left.as_list();
    both.insert(both.end(), right.as_list()->begin(), right.as_list()->end());
    return list(std::move(both));
  }
  if (what == operation::multiply && (left.as_text() != nullptr || right.as_text() != nullptr)) {
    const marked_text* repeated = left.as_text() != nullptr ? left.as_text() : right.as_text();
    const auto times = whole_of(left.as_text() != nullptr ? right : left);
    if (!times) return refuse();
    marked_text all;
    for (std::int64_t i = 0; i < *times && !repeated->bytes.empty(); ++i) {
      charge(repeated->bytes.size());
      all.append(*repeated);
    }
    return value::text(std::move(all));
  }
  const auto x = number_of(left), y = number_of(right);
  if (!x || !y) return refuse();
  const auto a = whole_of(left), b = whole_of(right);
  const bool whole = a && b && what != operation::divide;
  const bool divides =
      what == operation::divide || what == operation::floor_divide || what == operation::modulo;
  if (divides && *y == 0) fail("divides by 0");
  if (!whole) {
    switch (what) {
      case operation::add:
        return *x + *y;
      case operation::subtract:
        return *x - *y;
      case operation::multiply:
        return *x * *y;
      case operation::divide:
        return *x / *y;
      case operation::floor_divide:
        return std::floor(*x / *y);
      default:
        unsupported("this computation with fractions");
    }
  }
  std::int64_t result = 0;
  bool overflows = false;
  switch (what) {
    case operation::add:
      overflows = __builtin_add_overflow(*a, *b, &result);
      break;
    case operation::subtract:
      overflows = __builtin_sub_overflow(*a, *b, &result);
      break;
    case operation::multiply:
      overflows = __builtin_mul_overflow(*a, *b, &result);
      break;
    case operation::floor_divide:
    case operation::modulo: {
      if (*b == -1) {  // the smallest number has no counterpart
        overflows = what == operation::floor_divide && __builtin_sub_overflow(std::int64_t{0}, *a, &result);
        break;
      }
      const bool rounds = *a % *b != 0 && (*a < 0) != (*b < 0);
      result = what == operation::floor_divide ? *a / *b - (rounds ? 1 : 0) : *a % *b + (rounds ? *b : 0);
      break;
    }
    case operation::power: {
      if (*b < 0 || *b > 64) unsupported("this power");
      result = 1;
      for (std::int64_t i = 0; i < *b && !overflows; ++i)
        overflows = __builtin_mul_overflow(result, *a, &result);
      break;
    }
    default:
      return refuse();
  }
  if (overflows) unsupported("a whole number of more than 64 bits");
  return result;
}

bool operations::equal(const value& a, const value& b) {
  charge(1);
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (const auto x = whole_of(a), y = whole_of(b); x && y) return *x == *y;
  if (const auto x = number_of(a), y = number_of(b); x || y) return x && y && *x == *y;
  if (a.as_text() != nullptr && b.as_text() != nullptr) {
    charge(std::min(a.as_text()->bytes.size(), b.as_text()->bytes.size()) / 16);
    return a.as_text()->bytes == b.as_text()->bytes;
  }
  if (a.as_list() != nullptr && b.as_list() != nullptr) {
    return std::equal(a.as_list()->begin(), a.as_list()->end(), b.as_list()->begin(), b.as_list()->end(),
                      [&](const value& one, const value& other) { return equal(one, other); });
  }
  if (a.as_dict() != nullptr && b.as_dict() != nullptr) unsupported("a comparison of dictionaries");
  const auto *x = a.as<std::shared_ptr<name_space>>(), *y = b.as<std::shared_ptr<name_space>>();
  if (x != nullptr && y != nullptr) return *x == *y;
  return a.as<none>() != nullptr && b.as<none>() != nullptr;
}

bool operations::contains(const value& container, const value& item) {
  if (const marked_text* text = container.as_text()) {
    if (item.as_text() == nullptr) fail("looks for " + item.kind() + " in a text");
    charge(text->bytes.size() / 16 + item.as_text()->bytes.size());
    return text->bytes.find(item.as_text()->bytes) != std::string::npos;
  }
  if (const auto* items = container.as_list())
    return std::any_of(items->begin(), items->end(), [&](const value& each) { return equal(each, item); });
  if (const auto* members = container.as_dict()) {
    charge(1 + members->size() / 8);
    return item.as_text() != nullptr && std::any_of(members->begin(), members->end(), [&](const auto& each) {
             return each.first == item.as_text()->bytes;
           });
  }
  if (!container.is_undefined()) fail("looks for something in " + container.kind());
  return false;
}

bool operations::compare(comparison how, const value& left, const value& right) {
  switch (how) {
    case comparison::equal:
      return equal(left, right);
    case comparison::different:
      return !equal(left, right);
    case comparison::in:
      return contains(right, left);
    case comparison::not_in:
      return !contains(right, left);
    default:
      break;
  }
  const auto ordered = [&](const auto& a, const auto& b) {
    switch (how) {
      case comparison::less:
        return a < b;
      case comparison::less_equal:
        return a <= b;
      case comparison::greater:
        return a > b;
      default:
        return a >= b;
    }
  };
  if (const auto a = whole_of(left), b = whole_of(right); a && b) return ordered(*a, *b);
  if (const auto a = number_of(left), b = number_of(right); a && b) return ordered(*a, *b);
  if (left.as_text() != nullptr && right.as_text() != nullptr) {
    charge(std::min(left.as_text()->bytes.size(), right.as_text()->bytes.size()) / 16);
    return ordered(left.as_text()->bytes, right.as_text()->bytes);
  }
  fail("compares " + left.kind() + " with " + right.kind());
}

void operations::check_count(const std::string& of, const arguments& given, std::size_t least,
                             std::size_t most) const {
  if (!given.named.empty()) unsupported("'" + of + "' with '" + given.named.front().first + "='");
  if (given.items.size() < least || given.items.size() > most)
    fail("gives '" + of + "' " + std::to_string(given.items.size()) + " arguments");
}

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
  if (!is_among(alone, name)) unsupported("the test '" + io::printable(name) + "'");
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
