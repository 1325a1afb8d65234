// How command lines and heads files name a redistribution. For the core, temperature with theta below 1
// sharpens and above 1 flattens; outside, these are two names with one theta: `temperature` and
// `inverse-temperature`, which raises weights to theta instead of 1 / theta (the paper's 1.1 and 1 / 1.1).
#pragma once

#include <act/error.hpp>
#include <act/options.hpp>
#include <act/report/option_names.hpp>
#include <act/version.hpp>

#include <string>
#include <string_view>

namespace act::inline ACT_ABI {

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

}  // namespace act::inline ACT_ABI
