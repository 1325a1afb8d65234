// The heads that programs calibrate while text is made: a heads file under the options of the command line,
// checked against the model. For programs without tasks, whose prompts have no parts.
#pragma once

#include <act/runtime/model_calibration.hpp>
#include <act/tasks/named_calibration.hpp>

#include <optional>
#include <string>

namespace act::runtime {
struct model;
}
namespace act::search {
struct heads_file;
}

namespace act_program {

struct calibration_flags;

/// The options in force. `path` is the file's. Throws act::error (invalid_option) for options that can't be,
/// those that need the parts of a task's prompts among them, and for options without heads.
[[nodiscard]] act::tasks::named_calibration calibrated_by(
    const calibration_flags& flags, const std::string& path,
    const std::optional<act::search::heads_file>& heads);

/// How to use a heads file.
struct heads_use {
  std::string program;  ///< whose remarks on stderr
  bool force = false;   ///< --force
  bool quiet = false;   ///< --quiet: no remarks
};

/// Heads and options in force; none without a file. Throws act::error: as calibrated_by; mismatch for another
/// model's heads.
[[nodiscard]] act::runtime::model_calibration calibration_for(
    const act::runtime::model& model, const calibration_flags& flags, const std::string& path,
    const std::optional<act::search::heads_file>& heads, const heads_use& use);

}  // namespace act_program
