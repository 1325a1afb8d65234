// Calibration as command lines and heads files name it. For the core, temperature with theta below 1
// sharpens and above 1 flattens; outside, these are two names with one theta: `temperature` and
// `inverse-temperature`, which raises weights to theta instead of 1 / theta (the paper's 1.1 and 1 / 1.1).
// For the core, a subset is one prompt's positions; outside it is a part that every prompt has.
#pragma once

#include <act/error.hpp>
#include <act/options.hpp>
#include <act/tasks/prompt_part.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace act::tasks {

inline constexpr std::string_view inverse_temperature = "inverse-temperature";

struct redistribution_name {
  std::string name = "proportional";
  double theta = 1.1;  ///< the temperatures' alone; over 0

  [[nodiscard]] bool has_theta() const noexcept;
};

/// The names there are, for messages.
[[nodiscard]] std::string listed_redistributions();

/// How `options` redistribute. Reading the name back gives the same theta to the bit: one below 1 that its
/// inverse doesn't give back keeps the name `temperature`.
[[nodiscard]] redistribution_name redistribution_of(const calibration_options& options);

/// Sets how `options` redistribute. Throws error (invalid_option) at `where` for an unknown name, listing the
/// known ones. A theta that can't be is left to `options.validate()`.
void set_redistribution(calibration_options& options, const redistribution_name& named,
                        std::string_view where);

/// Calibration as command lines and heads files say it.
struct named_calibration {
  calibration_options options;             ///< its subset is empty: each prompt has its own
  std::optional<prompt_part> subset = {};  ///< whose positions redistribution::subset takes

  /// What is wrong, if anything; see calibration_options::validate.
  [[nodiscard]] problem validate() const noexcept;
};

}  // namespace act::tasks
