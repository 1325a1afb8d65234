#include <act/error.hpp>
#include <act/runtime/cache_policy.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

// The number behind `name` at the beginning of `text`, which is taken off; nothing if it doesn't begin so.
std::optional<std::size_t> take_number(std::string_view& text, std::string_view name) {
  constexpr std::size_t most = std::size_t{1} << 31;
  if (!text.starts_with(name)) return std::nullopt;
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + name.size(), end, value);
  if (problem != std::errc{} || value > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

}  // namespace

cache_policy parse_cache_policy(std::string_view text, const std::string& where) {
  if (text == "all") return {};
  std::string_view rest = text;
  if (const auto references = take_number(rest, "reference-heads:");
      references && *references > 0 && rest.empty())
    return {.window = 0, .sinks = 0, .reference_heads = *references};
  rest = text;
  const auto window = take_number(rest, "window:");
  const auto sinks = rest.empty() ? std::optional<std::size_t>(0) : take_number(rest, "+sinks:");
  if (!window || *window == 0 || !sinks || !rest.empty()) {
    throw error(error_code::invalid_option, where,
                "is '" + std::string(text) +
                    "'; give all, window:N, window:N+sinks:S or reference-heads:K, for example "
                    "window:1020+sinks:4");
  }
  return {.window = *window, .sinks = *sinks};
}

void check_cache_type(const cache_policy& policy, cache_type type, const std::string& where) {
  if (!policy.turns_keys() || type == cache_type::f32) return;
  throw error(error_code::invalid_option, where,
              "'" + text_of(policy) +
                  "' turns the keys at every step, which float16 would round each time; use "
                  "f32, or --cache all");
}

std::string text_of(const cache_policy& policy) {
  if (policy.reference_heads > 0) return "reference-heads:" + std::to_string(policy.reference_heads);
  if (!policy.evicts()) return "all";
  const std::string window = "window:" + std::to_string(policy.window);
  return policy.sinks == 0 ? window : window + "+sinks:" + std::to_string(policy.sinks);
}

}  // namespace act::runtime
