// The JSON result of a program: its own numbers, then how they were made.
#pragma once

#include <CLI/CLI.hpp>

#include <act/report/atomic_file.hpp>
#include <act/report/fingerprint.hpp>
#include <act/report/heads_file.hpp>
#include <act/report/json_text.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/forward.hpp>

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace act_program {

/// Every option that was given, by its command-line name: part of a result's provenance. The others have the
/// defaults of the version that is recorded beside them.
[[nodiscard]] inline nlohmann::ordered_json options_in_force(const CLI::App& app) {
  auto options = nlohmann::ordered_json::object();
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_single_name();
    if (name == "help" || name == "version" || option->count() == 0) continue;
    const std::vector<std::string> given = option->results();
    if (option->get_expected_max() == 0) {
      options[name] = true;
    } else if (given.size() == 1) {
      options[name] = given.front();
    } else {
      options[name] = given;
    }
  }
  return options;
}

/// Adds what was calibrated, how, and in which model. `subset`: see act::named_calibration.
inline void add_calibrated_model(nlohmann::ordered_json& document, const act::model_calibration& calibration,
                                 const act::model_identity& model,
                                 std::optional<act::prompt_part> subset = {}) {
  document["heads"] = calibration.heads.size();
  document["options"] = act::to_json(calibration.options, subset);
  document["model"] = act::to_json(model);
}

/// Writes `document` with the seconds and the provenance at its end. Throws act::error (io).
inline void write_result(const std::string& path, nlohmann::ordered_json document, const CLI::App& app,
                         const act::provenance_clock& clock) {
  const act::provenance made = clock.stamp(options_in_force(app));
  document["seconds"] = made.seconds;
  document["provenance"] = act::to_json(made);
  act::write_file(path, act::pretty_json(document) + "\n");
}

}  // namespace act_program
