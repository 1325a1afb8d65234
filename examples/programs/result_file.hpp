// The JSON result of a program: its own numbers, then how they were made.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/provenance.hpp>
#include <act/tasks/prompt_parts.hpp>

#include <optional>
#include <string>

namespace act::runtime {
struct model_calibration;
struct model_identity;
}  // namespace act::runtime

namespace act_program {

class command_line;

/// Adds what was calibrated, how, and in which model. `subset`: see act::tasks::named_calibration.
void add_calibrated_model(act::io::json_document& document,
                          const act::runtime::model_calibration& calibration,
                          const act::runtime::model_identity& model,
                          std::optional<act::tasks::prompt_part> subset = {});

/// Writes `document` with the seconds and the provenance at its end. Throws act::error (io). Part of the
/// provenance is every option that was given, by its name on the command line; the others have the defaults
/// of the version that is recorded beside them.
void write_result(const std::string& path, act::io::json_document document, const command_line& line,
                  const act::report::provenance_clock& clock);

}  // namespace act_program
