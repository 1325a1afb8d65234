// How command lines and heads files name a redistribution. For the core, temperature with theta below 1
// sharpens and above 1 flattens; outside, these are two names with one theta: `temperature` and
// `inverse-temperature`, which raises weights to theta instead of 1 / theta (the paper's 1.1 and 1 / 1.1).
// For the core, a subset is one prompt's positions; outside it is a part that every prompt has.
#pragma once

#include <act/error.hpp>
#include <act/options.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prompt_parts.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::tasks {

inline constexpr std::string_view inverse_temperature = "inverse-temperature";

struct redistribution_name {
  std::string name = "proportional";
  double theta = 1.1;  ///< the temperatures' alone; over 0

  [[nodiscard]] bool has_theta() const noexcept {
    return name == inverse_temperature || name == name_of(redistribution::temperature);
  }
};

/// The names there are, for messages.
[[nodiscard]] inline std::string listed_redistributions() {
  return listed_options<redistribution>() + ", " + std::string(inverse_temperature);
}

/// How `options` redistribute. Reading the name back gives the same theta to the bit: one below 1 that its
/// inverse doesn't give back keeps the name `temperature`.
[[nodiscard]] inline redistribution_name redistribution_of(const calibration_options& options) {
  const double inverse = 1 / options.theta;
  if (options.redistribute == redistribution::temperature && options.theta < 1 &&
      1 / inverse == options.theta) {
    return {std::string(inverse_temperature), inverse};
  }
  return {std::string(name_of(options.redistribute)), options.theta};
}

/// Sets how `options` redistribute. Throws error (invalid_option) at `where` for an unknown name, listing the
/// known ones. A theta that can't be is left to `options.validate()`.
inline void set_redistribution(calibration_options& options, const redistribution_name& named,
                               std::string_view where) {
  if (named.name == inverse_temperature) {
    options.redistribute = redistribution::temperature;
    options.theta = 1 / named.theta;
    return;
  }
  const auto found = find_option<redistribution>(named.name);
  if (!found) {
    throw error(error_code::invalid_option, where,
                "'" + named.name + "' is none of " + listed_redistributions());
  }
  options.redistribute = *found;
  options.theta = named.theta;
}

/// Calibration as command lines and heads files say it.
struct named_calibration {
  calibration_options options;             ///< its subset is empty: each prompt has its own
  std::optional<prompt_part> subset = {};  ///< whose positions redistribution::subset takes

  /// What is wrong, if anything; see calibration_options::validate.
  [[nodiscard]] problem validate() const noexcept {
    const bool wanted = options.redistribute == redistribution::subset;
    if (wanted && !subset) return {"subset", "must say which part of a prompt receives: question or choices"};
    if (!wanted && subset)
      return {"subset", "is for redistribution subset only: leave it out, or ask for that"};
    constexpr std::array<std::size_t, 1> some_position{};
    calibration_options checked = options;
    if (wanted) checked.subset = some_position;
    return checked.validate();
  }
};

}  // namespace act::tasks
