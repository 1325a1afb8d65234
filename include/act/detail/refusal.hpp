// What a door found wrong, before it becomes a status or an exception: checks are written once for both.
#pragma once

#include <act/detail/build.hpp>
#include <act/error.hpp>
#include <act/status.hpp>

#include <string_view>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// Converts to false when nothing is wrong. Its texts are static.
struct refusal {
  status code = status::ok;
  problem what = {};

  [[nodiscard]] explicit operator bool() const noexcept { return code != status::ok; }
};

[[nodiscard]] inline refusal bad_shape(std::string_view where, std::string_view message) noexcept {
  return {status::invalid_shape, {where, message}};
}
[[nodiscard]] inline refusal bad_option(std::string_view where, std::string_view message) noexcept {
  return {status::invalid_option, {where, message}};
}
[[nodiscard]] inline refusal not_done(std::string_view where, std::string_view message) noexcept {
  return {status::unsupported, {where, message}};
}
/// What a validate() found.
[[nodiscard]] inline refusal bad_shape(const problem& found) noexcept {
  return found ? refusal{status::invalid_shape, found} : refusal{};
}
[[nodiscard]] inline refusal bad_option(const problem& found) noexcept {
  return found ? refusal{status::invalid_option, found} : refusal{};
}

/// The first of the two.
[[nodiscard]] inline refusal either(const refusal& first, const refusal& second) noexcept {
  return first ? first : second;
}

/// Raises it as an error; does nothing when nothing was found.
inline void raise_if(const refusal& found) {
  if (!found) return;
  const error_code code = found.code == status::invalid_shape    ? error_code::invalid_shape
                          : found.code == status::invalid_option ? error_code::invalid_option
                                                                 : error_code::unsupported;
  raise(code, found.what.where, found.what.message);
}

/// Answers it, and says what it is where somebody asks.
inline status answer(const refusal& found, problem* refused) noexcept {
  if (found && refused != nullptr) *refused = found.what;
  return found.code;
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
