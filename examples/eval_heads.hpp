// The heads that act-eval calibrates: read early, checked against the model once it is loaded.
#pragma once

#include <act/runtime/forward.hpp>
#include <act/search/heads_file.hpp>

#include <iostream>
#include <optional>
#include <set>
#include <sstream>
#include <string>

#include "eval_options.hpp"

namespace act_program {

class chosen_heads {
 public:
  /// Throws act::error for a file that can't be read and for options that can't be.
  explicit chosen_heads(const eval_options& options) : path_(options.heads), force_(options.force) {
    if (!path_.empty()) file_ = act::search::read_heads_file(path_);
    const act::tasks::named_calibration in_force = options.calibration.over(file_);
    calibration_.options = in_force.options;
    subset_ = in_force.subset;
    subset_from_ = options.calibration.subset_given() ? "--subset" : path_ + ": options.subset";
  }

  [[nodiscard]] bool given() const noexcept { return file_.has_value(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Names no heads until `fit_to` has accepted them.
  [[nodiscard]] const act::runtime::model_calibration& calibration() const noexcept { return calibration_; }

  /// Which part of each prompt redistribution::subset gives to.
  [[nodiscard]] std::optional<act::tasks::prompt_part> subset() const noexcept { return subset_; }
  /// Throws act::error (invalid_option) when the task's prompts don't have that part.
  void check_subset(const act::tasks::task& task) const {
    if (subset_) act::tasks::check_part(task, *subset_, subset_from_);
  }
  /// The same where no text has any part.
  void refuse_subset(const std::string& why) const {
    if (subset_) throw act::error(act::error_code::invalid_option, subset_from_, why);
  }

  /// Throws act::error (mismatch) for another model's heads.
  void fit_to(const act::runtime::model_identity& model) {
    if (!file_) return;
    if (act::search::check_fit(*file_, model, path_, force_) == act::search::fingerprint_check::absent) {
      std::cerr << "act-eval: " << path_ << ": has no fingerprint, so it may be another model's\n";
    }
    calibration_.heads = file_->heads;
  }

  /// Positions of a data file's samples that the search has seen, by the evidence in the heads file.
  [[nodiscard]] std::set<std::size_t> searched_samples(const std::string& data_sha256) const {
    std::set<std::size_t> seen;
    if (!file_) return seen;
    const auto& evidence = file_->evidence;
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

  /// What a result says of them: ", 15 heads calibrated (beta 0.4)", or nothing.
  [[nodiscard]] std::string remark() const {
    if (!file_) return {};
    std::ostringstream text;
    text << ", " << calibration_.heads.size() << " heads calibrated (beta " << calibration_.options.beta;
    if (subset_) text << ", freed mass to the " << act::tasks::name_of(*subset_) << " only";
    text << ")";
    return text.str();
  }

  /// The line under a result that says so: heads were given, and they are none. Else nothing.
  [[nodiscard]] std::string nothing_to_calibrate() const {
    if (!file_ || !file_->heads.empty()) return {};
    return "\n" + path_ + " names no heads, so there is nothing to calibrate.\n";
  }

 private:
  std::string path_;
  bool force_;
  std::optional<act::search::heads_file> file_;
  act::runtime::model_calibration calibration_;
  std::optional<act::tasks::prompt_part> subset_;
  std::string subset_from_;  // for messages: the option or the file that names it
};

}  // namespace act_program
