// The JSON result of a program: its own numbers, then how they were made.
#pragma once

#include <act/io/json_document.hpp>
#include <act/report/provenance.hpp>
#include <act/tasks/prompt_parts.hpp>

#include <cstddef>
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

/// A line on stderr where heads were found with products of another type (--compute) than they are run with.
void say_other_compute(const std::string& program, const std::string& heads_file,
                       const act::runtime::model_identity& searched,
                       const act::runtime::model_identity& loaded);

/// Writes `document` with the seconds and the provenance at its end. Throws act::error (io). Part of the
/// provenance is every option that was given, by its name on the command line; the others have the defaults
/// of the version that is recorded beside them.
void write_result(const std::string& path, act::io::json_document document, const command_line& line,
                  const act::report::provenance_clock& clock);

/// Samples of a data file that weren't run, or not whole, and how a result says so.
struct passed_over {
  /// Left out: the heads were found on them. Nothing where samples aren't left out for that.
  std::optional<std::size_t> searched = {};
  std::size_t too_long = 0;   ///< left out: longer than the model's context
  std::size_t truncated = 0;  ///< run, their prompts cut

  void add_to(act::io::json_document& document) const;

  /// A line for each kind that there is.
  [[nodiscard]] std::string remarks() const;
};

}  // namespace act_program
