#include <act/error.hpp>
#include <act/search/layer_range.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace act::search {

std::optional<layer_range> paper_layer_range(std::size_t layers) noexcept {
  if (layers < 4) return std::nullopt;
  return layer_range{.first = 2, .last = layers - 2};
}

layer_range unibias_layer_range(std::size_t layers) noexcept {
  return {.first = layers / 2, .last = layers - 1};
}

layer_range parse_layer_range(std::string_view text, std::size_t layers, std::string_view asked_by) {
  const auto fail = [&](const std::string& why) {
    throw error(error_code::invalid_option, asked_by,
                "'" + std::string(text) + "' " + why + "; give FIRST:LAST, for example " +
                    std::string(paper_layer_range(layers) ? default_layer_range : "0:-1") +
                    ", for a model of " + std::to_string(layers) + (layers == 1 ? " layer" : " layers"));
  };
  const auto number = [&](std::string_view digits) {
    long long value = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc{} || end != digits.data() + digits.size() || digits.empty())
      fail("isn't a range");
    const auto total = static_cast<long long>(layers);
    if (value < 0) value += total;
    if (value < 0 || value >= total) fail("names a layer that the model doesn't have");
    return static_cast<std::size_t>(value);
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) fail("isn't a range");
  const layer_range range{number(text.substr(0, colon)), number(text.substr(colon + 1))};
  if (range.first > range.last) fail("ends before it begins");
  return range;
}

}  // namespace act::search
