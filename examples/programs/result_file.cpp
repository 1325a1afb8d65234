#include "programs/result_file.hpp"

#include <act/io/atomic_file.hpp>
#include <act/io/json_text.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>

#include <nlohmann/json.hpp>

#include <utility>

#include "programs/build_record.hpp"
#include "programs/command_line.hpp"

namespace act_program {

namespace {

nlohmann::ordered_json options_in_force(const command_line& line) {
  auto options = nlohmann::ordered_json::object();
  for (const given_option& option : line.given()) {
    if (option.flag) {
      options[option.name] = true;
    } else if (option.values.size() == 1) {
      options[option.name] = option.values.front();
    } else {
      options[option.name] = option.values;
    }
  }
  return options;
}

}  // namespace

void add_calibrated_model(nlohmann::ordered_json& document,
                          const act::runtime::model_calibration& calibration,
                          const act::runtime::model_identity& model,
                          std::optional<act::tasks::prompt_part> subset) {
  document["heads"] = calibration.heads.size();
  document["options"] = act::search::to_json(calibration.options, subset);
  document["model"] = act::runtime::to_json(model);
}

void write_result(const std::string& path, nlohmann::ordered_json document, const command_line& line,
                  const act::report::provenance_clock& clock) {
  const act::report::provenance made = clock.stamp(built());
  document["seconds"] = made.seconds;
  document["provenance"] = act::report::to_json(made, options_in_force(line));
  act::io::write_file(path, act::io::pretty_json(document) + "\n");
}

}  // namespace act_program
