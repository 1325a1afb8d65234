// The heads that act-generate calibrates, and how.
#pragma once

#include <act/options.hpp>

#include <optional>

namespace act::runtime {
struct model;
struct model_calibration;
}  // namespace act::runtime
namespace act::search {
struct heads_file;
}

namespace act_program {

struct generate_options;

/// The options in force. Throws act::error (invalid_option) for options that can't be.
[[nodiscard]] act::calibration_options calibrated_by(const generate_options& options,
                                                     const std::optional<act::search::heads_file>& heads);

/// Heads file and options in force, checked against the model. Throws act::error (mismatch) for another
/// model's heads.
[[nodiscard]] act::runtime::model_calibration calibration_for(
    const act::runtime::model& model, const generate_options& options,
    const std::optional<act::search::heads_file>& heads);

}  // namespace act_program
