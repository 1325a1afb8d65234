// Options that say what a sink is and how heads are calibrated.
#pragma once

#include <act/options.hpp>
#include <act/tasks/named_calibration.hpp>

#include <optional>
#include <string>

#include "programs/command_line.hpp"

namespace act::search {
struct heads_file;
}

namespace act_program {

/// What a sink is.
struct sink_flags {
  std::string rule = "relative";
  act::sink_options values;

  void add_to(command_line& line, const std::string& group);

  /// `before` with what was given. Throws act::error (invalid_option) for a name that is no rule.
  [[nodiscard]] act::sink_options over(act::sink_options before) const;

 private:
  command_option rule_, alpha_, tau_, rows_;
};

/// How heads are calibrated. What is given on the command line wins over a heads file.
struct calibration_flags {
  sink_flags sinks;
  act::tasks::redistribution_name redistribution;
  std::string subset;
  std::string compatibility = "none";
  act::calibration_options values;

  void add_to(command_line& line);

  /// The options in force: the file's (or the defaults), then what was given. Throws act::error
  /// (invalid_option).
  [[nodiscard]] act::tasks::named_calibration over(const std::optional<act::search::heads_file>& file) const;

  [[nodiscard]] bool subset_given() const { return subset_.given(); }

 private:
  command_option beta_, redistribution_, subset_, theta_, compatibility_;
};

}  // namespace act_program
