// Which positions a key/value cache keeps while a text grows. For the decoder and the programs' --cache.
#pragma once

#include <act/runtime/cache_type.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace act::runtime {

struct key_maps;

/// By default every position stays, and a text ends where the model's context does. With a window the last
/// `window` positions stay, beside the first `sinks` ones: StreamingLLM's scheme (Xiao et al. 2024). Memory
/// is then constant, and a text may be longer than the context.
struct cache_policy {
  std::size_t window = 0;  ///< 0: all
  std::size_t sinks = 0;   ///< 0 unless there is a window
  /// Every position stays, but of its keys only those of so many key heads a layer; the others' are made of
  /// them whenever they are needed (Shaikh et al. 2026). 0: all.
  std::size_t reference_heads = 0;
  std::shared_ptr<const key_maps> maps = nullptr;  ///< how; needed with reference heads

  [[nodiscard]] bool evicts() const noexcept { return window != 0; }
  /// Whether a cache keeps keys as they were projected, and turns them by their places at every step.
  [[nodiscard]] bool turns_keys() const noexcept { return evicts() || reference_heads > 0; }
  /// Positions that it ever holds. Without meaning for a cache that keeps everything.
  [[nodiscard]] std::size_t capacity() const noexcept { return window + sinks; }
};

/// From "all", "window:N", "window:N+sinks:S" or "reference-heads:K", whose maps are still missing. Throws
/// `error` (invalid_option) naming `where` for anything else, a window of 0 among it.
[[nodiscard]] cache_policy parse_cache_policy(std::string_view text, const std::string& where);

/// Throws `error` (invalid_option) naming `where` for a policy whose keys are turned at every step and
/// numbers that would be rounded each time.
void check_cache_type(const cache_policy& policy, cache_type type, const std::string& where);

/// The same words back.
[[nodiscard]] std::string text_of(const cache_policy& policy);

}  // namespace act::runtime
