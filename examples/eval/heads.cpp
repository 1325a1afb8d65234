#include "eval/heads.hpp"

#include <act/error.hpp>
#include <act/runtime/model_calibration.hpp>
#include <act/runtime/model_identity.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/named_calibration.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/task.hpp>

#include <iostream>
#include <set>
#include <sstream>
#include <vector>

#include "eval/options.hpp"
#include "programs/files.hpp"
#include "programs/flags.hpp"
#include "programs/result_file.hpp"

namespace act_program {

struct chosen_heads::contents {
  std::string path;
  bool force = false;
  bool all = false;  // heads, of the model
  std::optional<act::search::heads_file> file;
  act::runtime::model_calibration calibration;
  std::vector<double> strengths;
  std::optional<act::tasks::prompt_part> subset;
  std::string subset_from;  // for messages: the option or the file that names it
};

chosen_heads::chosen_heads(const eval_options& options) : has_(std::make_unique<contents>()) {
  has_->path = options.heads;
  has_->force = options.force;
  has_->all = has_->path == "all";
  if (!has_->path.empty() && !has_->all) has_->file = act::search::read_heads_file(has_->path);
  if (has_->path.empty()) options.calibration.refuse_without_heads();
  const act::tasks::named_calibration in_force = options.calibration.over(has_->file);
  has_->calibration.options = in_force.options;
  has_->calibration.masks = in_force.masks;
  // Taken over with the heads, once these are known to be the model's.
  if (has_->file) has_->strengths = act::search::strengths_under(*has_->file, in_force, has_->path);
  has_->subset = in_force.subset;
  has_->subset_from = options.calibration.part_from(in_force.options, has_->path);
}

chosen_heads::~chosen_heads() = default;

const act::runtime::model_calibration& chosen_heads::calibration() const noexcept {
  return has_->calibration;
}

std::optional<act::tasks::prompt_part> chosen_heads::subset() const noexcept {
  return has_->subset;
}

act::tasks::choice_names chosen_heads::names() const {
  return flag_names_for(has_->calibration.options);
}

void chosen_heads::check_subset(const act::tasks::task& task) const {
  if (has_->subset) act::tasks::check_part(task, *has_->subset, names(), has_->subset_from);
}

void chosen_heads::refuse_subset(const std::string& why) const {
  if (has_->subset) throw act::error(act::error_code::invalid_option, has_->subset_from, why);
}

void chosen_heads::fit_to(const act::runtime::model_identity& model) {
  if (has_->all) {
    for (std::size_t layer = 0; layer < model.layers; ++layer) {
      for (std::size_t head = 0; head < model.heads; ++head)
        has_->calibration.heads.insert(layer, head);
    }
  }
  if (!has_->file) return;
  if (act::search::check_fit(*has_->file, model, has_->path, has_->force, "--force") ==
      act::search::fingerprint_check::absent) {
    std::cerr << "act-eval: " << has_->path << ": has no fingerprint, so it may be another model's\n";
  }
  say_other_compute("act-eval", has_->path, has_->file->model, model);
  has_->calibration.heads = has_->file->heads;
  has_->calibration.strengths = has_->strengths;
}

std::set<std::size_t> chosen_heads::searched_samples(const std::string& data_sha256) const {
  if (!has_->file) return {};
  const std::vector<std::size_t> seen = act::search::searched_samples(*has_->file, data_sha256);
  return {seen.begin(), seen.end()};
}

std::optional<act::search::source_forecast> chosen_heads::forecast(
    const act::search::asked_task& asked) const {
  if (!has_->file || !has_->file->options) return std::nullopt;
  const act::tasks::named_calibration searched{
      .options = *has_->file->options, .subset = has_->file->subset, .masks = has_->file->masks};
  const act::tasks::named_calibration in_force{
      .options = has_->calibration.options, .subset = has_->subset, .masks = has_->calibration.masks};
  if (act::search::to_json(searched).pretty() != act::search::to_json(in_force).pretty()) return std::nullopt;
  return act::search::stored_forecast(*has_->file, asked, has_->path);
}

std::string chosen_heads::remark() const {
  if (!has_->file && !has_->all) return {};
  const act::calibration_options& options = has_->calibration.options;
  const std::string columns = act::tasks::columns_of({.options = options, .subset = has_->subset});
  const auto number = [](double value) {
    std::ostringstream digits;
    digits << value;
    return digits.str();
  };
  std::ostringstream text;
  text << ", " << has_->calibration.heads.size() << " heads ";
  if (has_->calibration.masks) {
    text << "masked";
    return text.str();
  }
  text << "calibrated (";
  if (options.redistribute == act::redistribution::renormalised) {
    text << columns << " times "
         << (has_->strengths.empty() ? number(options.factor) : "factors of their own") << ", renormalised";
  } else {
    text << (has_->strengths.empty() ? "beta " + number(options.beta) : "betas of their own");
    if (options.columns != act::column_choice::sinks) {
      text << " of the " << columns;
    } else if (has_->subset) {
      text << ", freed mass to the " << act::tasks::name_of(*has_->subset) << " only";
    }
  }
  text << ")";
  return text.str();
}

std::string chosen_heads::nothing_to_calibrate() const {
  if (!has_->file || !has_->file->heads.empty()) return {};
  return "\n" + has_->path + " names no heads, so there is nothing to calibrate.\n";
}

scored_data read_data(const act::tasks::task& task, const chosen_heads& heads, const eval_options& options) {
  scored_data data{.all = act::tasks::read_samples(task, options.data),
                   .sha256 = act::tasks::data_sha256(task, options.data),
                   .chosen = {}};
  const std::set<std::size_t> seen =
      options.include_search_samples ? std::set<std::size_t>() : heads.searched_samples(data.sha256);
  for (const std::size_t index : act::tasks::select_limited(data.all.size(), options.limit, options.seed)) {
    if (seen.contains(index)) {
      ++data.left_out;
    } else {
      data.chosen.push_back(data.all[index]);
    }
  }
  if (data.chosen.empty()) {
    throw act::error(act::error_code::invalid_input, options.data,
                     "every chosen sample was used to find the heads; score other samples, or pass "
                     "--include-search-samples");
  }
  return data;
}

}  // namespace act_program
