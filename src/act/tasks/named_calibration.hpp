// Calibration as command lines and heads files name it. For the core, temperature with theta below 1
// sharpens and above 1 flattens; outside, these are two names with one theta: `temperature` and
// `inverse-temperature`, which raises weights to theta instead of 1 / theta (the paper's 1.1 and 1 / 1.1).
// For the core, a subset is one prompt's positions, and so is a span of columns; outside they are a part that
// every prompt has, and a span goes by that part's name. Masking heads instead is no option of the core's.
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
  calibration_options options;             ///< its subset and span are empty: each prompt has its own
  std::optional<prompt_part> subset = {};  ///< whose positions redistribution::subset takes, or the span
  bool masks = false;                      ///< heads are masked instead: the options aren't asked

  /// What is wrong, if anything; see calibration_options::validate.
  [[nodiscard]] problem validate() const noexcept;
};

/// The names of columns that there are, for messages.
[[nodiscard]] std::string listed_columns();

/// Which columns are changed: sinks, initial-token, or the part of each prompt.
[[nodiscard]] std::string columns_of(const named_calibration& calibration);

/// Sets which columns are changed. Throws error (invalid_option) at `where` for an unknown name, listing the
/// known ones.
void set_columns(named_calibration& calibration, std::string_view name, std::string_view where);

}  // namespace act::tasks
