// The columns that the options choose themselves, in the sinks' place: the initial token's, or a span's. For
// every form that would look for sinks otherwise.
#pragma once

#include <act/attention_view.hpp>
#include <act/detail/build.hpp>
#include <act/options.hpp>

#include <cstddef>
#include <span>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Writes the chosen columns of `batch` among the first `keys` keys to `positions`, which has room for all
/// keys, ascending; padding is nobody's column. Returns how many; 0 for column_choice::sinks.
[[nodiscard]] inline std::size_t collect_columns(const calibration_options& options,
                                                 const visibility& visible, std::size_t batch,
                                                 std::size_t keys,
                                                 std::span<std::size_t> positions) noexcept {
  std::size_t count = 0;
  const auto choose = [&](std::size_t key) {
    if (key < keys && key >= visible.initial_key(batch)) positions[count++] = key;
  };
  if (options.columns == column_choice::initial_token) choose(visible.initial_key(batch));
  for (const std::size_t key : options.span)
    choose(key);
  return count;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
