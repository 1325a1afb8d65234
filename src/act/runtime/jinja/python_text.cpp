#include <act/runtime/jinja/python_text.hpp>
#include <act/runtime/jinja/value.hpp>
#include <act/runtime/jinja/white_space.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

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

}  // namespace act::runtime::jinja
