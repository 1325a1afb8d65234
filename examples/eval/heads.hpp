// The heads that act-eval calibrates, read early and checked against the model once it is loaded; and the
// data file it reads, of which the samples are scored that the heads were not found on.
#pragma once

#include <act/search/selection/stored_forecast.hpp>
#include <act/tasks/prompt_parts.hpp>
#include <act/tasks/sample.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace act::runtime {
struct model_calibration;
struct model_identity;
}  // namespace act::runtime
namespace act::tasks {
struct task;
}

namespace act_program {

struct eval_options;

class chosen_heads {
 public:
  /// --heads all are all of the model's. Throws act::error for a file that can't be read and for options that
  /// can't be.
  explicit chosen_heads(const eval_options& options);
  chosen_heads(const chosen_heads&) = delete;
  chosen_heads& operator=(const chosen_heads&) = delete;
  ~chosen_heads();

  /// Names no heads until `fit_to` has accepted them.
  [[nodiscard]] const act::runtime::model_calibration& calibration() const noexcept;

  /// Which part of each prompt redistribution::subset gives to, or is changed.
  [[nodiscard]] std::optional<act::tasks::prompt_part> subset() const noexcept;
  /// What messages about it say.
  [[nodiscard]] act::tasks::choice_names names() const;
  /// Throws act::error (invalid_option) when the task's prompts don't have that part.
  void check_subset(const act::tasks::task& task) const;
  /// The same where no text has any part.
  void refuse_subset(const std::string& why) const;

  /// Throws act::error (mismatch) for another model's heads.
  void fit_to(const act::runtime::model_identity& model);

  /// Positions of a data file's samples that the search has seen, by the evidence in the heads file.
  [[nodiscard]] std::set<std::size_t> searched_samples(const std::string& data_sha256) const;

  /// What the search expected of them on samples asked like these; empty where it doesn't say, and where the
  /// calibration is another than the file's. Throws act::error (invalid_input) for a damaged forecast.
  [[nodiscard]] std::optional<act::search::source_forecast> forecast(
      const act::search::asked_task& asked) const;

  /// What a result says of them: ", 15 heads calibrated (beta 0.4)", or nothing.
  [[nodiscard]] std::string remark() const;

  /// The line under a result that says so: heads were given, and they are none. Else nothing.
  [[nodiscard]] std::string nothing_to_calibrate() const;

 private:
  struct contents;  // what takes long to compile
  std::unique_ptr<contents> has_;
};

/// A task's data file.
struct scored_data {
  std::vector<act::tasks::sample> all;     ///< its samples
  std::string sha256;                      ///< its hash, as `data_sha256` makes it
  std::vector<act::tasks::sample> chosen;  ///< those to score
  std::size_t left_out = 0;                ///< samples that --limit chose and that the heads were found on
};

/// Chosen are those of --limit but for, unless --include-search-samples, those that the heads were found on.
/// Throws act::error for a file that can't be read, and when no sample is left.
[[nodiscard]] scored_data read_data(const act::tasks::task& task, const chosen_heads& heads,
                                    const eval_options& options);

}  // namespace act_program
