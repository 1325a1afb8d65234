#include "eval/heads.hpp"

#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/task.hpp>

#include <nlohmann/json.hpp>

#include <iostream>
#include <sstream>

#include "eval/options.hpp"

namespace act_program {

struct chosen_heads::contents {
  std::string path;
  bool force = false;
  std::optional<act::search::heads_file> file;
  act::runtime::model_calibration calibration;
  std::optional<act::tasks::prompt_part> subset;
  std::string subset_from;  // for messages: the option or the file that names it
};

chosen_heads::chosen_heads(const eval_options& options) : has_(std::make_unique<contents>()) {
  has_->path = options.heads;
  has_->force = options.force;
  if (!has_->path.empty()) has_->file = act::search::read_heads_file(has_->path);
  const act::tasks::named_calibration in_force = options.calibration.over(has_->file);
  has_->calibration.options = in_force.options;
  has_->subset = in_force.subset;
  has_->subset_from = options.calibration.subset_given() ? "--subset" : has_->path + ": options.subset";
}

chosen_heads::~chosen_heads() = default;

const act::runtime::model_calibration& chosen_heads::calibration() const noexcept {
  return has_->calibration;
}

std::optional<act::tasks::prompt_part> chosen_heads::subset() const noexcept {
  return has_->subset;
}

void chosen_heads::check_subset(const act::tasks::task& task) const {
  if (has_->subset) act::tasks::check_part(task, *has_->subset, flag_names, has_->subset_from);
}

void chosen_heads::refuse_subset(const std::string& why) const {
  if (has_->subset) throw act::error(act::error_code::invalid_option, has_->subset_from, why);
}

void chosen_heads::fit_to(const act::runtime::model_identity& model) {
  if (!has_->file) return;
  if (act::search::check_fit(*has_->file, model, has_->path, has_->force, "--force") ==
      act::search::fingerprint_check::absent) {
    std::cerr << "act-eval: " << has_->path << ": has no fingerprint, so it may be another model's\n";
  }
  has_->calibration.heads = has_->file->heads;
}

std::set<std::size_t> chosen_heads::searched_samples(const std::string& data_sha256) const {
  std::set<std::size_t> seen;
  if (!has_->file) return seen;
  const auto& evidence = has_->file->evidence;
  if (!evidence.contains("sources") || !evidence["sources"].is_array()) return seen;
  for (const auto& source : evidence["sources"]) {
    if (!source.is_object() || !source.contains("sha256") || source["sha256"] != data_sha256) continue;
    if (!source.contains("samples") || !source["samples"].is_array()) continue;
    for (const auto& index : source["samples"]) {
      if (index.is_number_unsigned()) seen.insert(index.get<std::size_t>());
    }
  }
  return seen;
}

std::string chosen_heads::remark() const {
  if (!has_->file) return {};
  std::ostringstream text;
  text << ", " << has_->calibration.heads.size() << " heads calibrated (beta "
       << has_->calibration.options.beta;
  if (has_->subset) text << ", freed mass to the " << act::tasks::name_of(*has_->subset) << " only";
  text << ")";
  return text.str();
}

std::string chosen_heads::nothing_to_calibrate() const {
  if (!has_->file || !has_->file->heads.empty()) return {};
  return "\n" + has_->path + " names no heads, so there is nothing to calibrate.\n";
}

}  // namespace act_program
