#include <act/runtime/checkpoint/gguf_split.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace act::runtime {
namespace {

std::string five_digits(unsigned number) {
  std::string digits = std::to_string(number);
  return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

}  // namespace

std::optional<std::string> split_path(const std::string& path, std::uint16_t from, std::uint16_t to,
                                      std::uint16_t count) {
  const std::string ending = split_ending(from, count);
  if (path.size() <= ending.size() || !path.ends_with(ending)) return std::nullopt;
  return path.substr(0, path.size() - ending.size()) + split_ending(to, count);
}

std::string split_ending(std::uint16_t number, std::uint16_t count) {
  return "-" + five_digits(number + 1u) + "-of-" + five_digits(count) + ".gguf";
}

std::string without_split_number(const std::string& path) {
  static const std::string form = split_ending(0, 1);
  if (path.size() <= form.size()) return path;
  const std::size_t start = path.size() - form.size();
  for (std::size_t i = 0; i < form.size(); ++i) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (is_digit(form[i]) ? !is_digit(path[start + i]) : path[start + i] != form[i]) return path;
  }
  return path.substr(0, start + 1) + path.substr(start + 6);
}

}  // namespace act::runtime
