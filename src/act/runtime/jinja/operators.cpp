#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/python_text.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

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

}  // namespace act::runtime::jinja
