// The JSON result of a program: its own numbers, then how they were made.
#pragma once

#include <CLI/CLI.hpp>

#include <act/io/atomic_file.hpp>
#include <act/io/json_text.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/forward.hpp>
#include <act/search/heads_file.hpp>

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

/// Adds what was calibrated, how, and in which model. `subset`: see act::tasks::named_calibration.
inline void add_calibrated_model(nlohmann::ordered_json& document,
                                 const act::runtime::model_calibration& calibration,
                                 const act::runtime::model_identity& model,
                                 std::optional<act::tasks::prompt_part> subset = {}) {
  document["heads"] = calibration.heads.size();
  document["options"] = act::search::to_json(calibration.options, subset);
  document["model"] = act::runtime::to_json(model);
}

/// Writes `document` with the seconds and the provenance at its end. Throws act::error (io).
inline void write_result(const std::string& path, nlohmann::ordered_json document, const CLI::App& app,
                         const act::report::provenance_clock& clock) {
  const act::report::provenance made = clock.stamp(options_in_force(app));
  document["seconds"] = made.seconds;
  document["provenance"] = act::report::to_json(made);
  act::io::write_file(path, act::io::pretty_json(document) + "\n");
}

}  // namespace act_program
