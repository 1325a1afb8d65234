#include "programs/result_file.hpp"

#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/report/heads_json.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>

#include <cstddef>
#include <iostream>
#include <utility>

#include "programs/build_record.hpp"
#include "programs/command_line.hpp"

namespace act_program {

namespace {

act::io::json_document options_in_force(const command_line& line) {
  auto options = act::io::json_document::object();
  for (const given_option& option : line.given()) {
    if (option.flag) {
      options.set(option.name, true);
    } else if (option.values.size() == 1) {
      options.set(option.name, option.values.front());
    } else {
      options.set(option.name, option.values);
    }
  }
  return options;
}

}  // namespace

void add_calibrated_model(act::io::json_document& document,
                          const act::runtime::model_calibration& calibration,
                          const act::runtime::model_identity& model,
                          std::optional<act::tasks::prompt_part> subset) {
  document.set("heads", calibration.heads.size());
  if (!calibration.heads.empty()) act::report::add_heads(document, calibration);
  document.set(
      "options",
      act::search::to_json({.options = calibration.options, .subset = subset, .masks = calibration.masks}));
  document.set("model", act::runtime::to_json(model));
}

void say_other_compute(const std::string& program, const std::string& heads_file,
                       const act::runtime::model_identity& searched,
                       const act::runtime::model_identity& loaded) {
  if (searched.fingerprint.empty() || searched.compute == loaded.compute) return;
  const auto named = [](const std::string& compute) { return compute.empty() ? "f32" : compute; };
  std::cerr << program << ": note: " << heads_file << ": was searched with --compute "
            << named(searched.compute) << ", this run has " << named(loaded.compute) << '\n';
}

void write_result(const std::string& path, act::io::json_document document, const command_line& line,
                  const act::report::provenance_clock& clock) {
  const act::report::provenance made = clock.stamp(built());
  document.set("seconds", made.seconds);
  document.set("provenance", act::report::to_json(made, options_in_force(line)));
  act::io::write_file(path, document.pretty() + "\n");
}

void passed_over::add_to(act::io::json_document& document) const {
  act::io::json_document left_out;
  if (searched) left_out.set("search_samples", *searched);
  left_out.set("too_long", too_long);
  document.set("left_out", std::move(left_out));
  document.set("truncated", truncated);
}

std::string passed_over::remarks() const {
  std::string lines;
  const auto say = [&](std::size_t count, const char* what) {
    if (count > 0) lines += std::to_string(count) + what + "\n";
  };
  say(searched.value_or(0), " samples left out: the heads were found on them");
  say(too_long, " samples left out: longer than the model's context");
  say(truncated, " prompts cut at the left to the model's context");
  return lines;
}

}  // namespace act_program
