// Options that several programs have: what a sink is, how heads are calibrated, how samples are scored, what
// happens to long prompts, what special tokens in a data set are, and how prompts end.
#pragma once

#include <act/options.hpp>
#include <act/tasks/choice_names.hpp>
#include <act/tasks/named_calibration.hpp>

#include <optional>
#include <string>
#include <vector>

#include "programs/command_line.hpp"

namespace act::search {
struct heads_file;
}
namespace act::io {
class json_document;
}
namespace act::runtime {
enum class special_tokens_in_text;
}
namespace act::tasks {
enum class long_prompts;
enum class scoring_rule;
struct task;
}  // namespace act::tasks

namespace act_program {

/// What a sink is.
struct sink_flags {
  std::string rule = "relative";
  act::sink_options values;

  void add_to(command_line& line, const std::string& group);

  /// `before` with what was given. Throws act::error (invalid_option) for a name that is no rule.
  [[nodiscard]] act::sink_options over(act::sink_options before) const;

  /// The name of one that was given; empty when none was.
  [[nodiscard]] std::string given() const;

 private:
  command_option rule_, alpha_, tau_, rows_;
};

enum class strength_kind { beta, factor };

/// The numbers of a list with commas, ascending. Throws act::error (invalid_option, named `flag`) for what
/// isn't a list of different strengths of that kind.
[[nodiscard]] std::vector<double> parse_strengths(const std::string& text, const std::string& flag,
                                                  strength_kind kind);

/// How heads are calibrated. What is given on the command line wins over a heads file.
struct calibration_flags {
  sink_flags sinks;
  act::tasks::redistribution_name redistribution;
  std::string subset;
  std::string columns;
  bool masks = false;
  std::string compatibility = "none";
  std::string betas, factors;
  act::calibration_options values;

  void add_to(command_line& line);
  /// Also --betas and --factors, for a program that tries several.
  void add_lists_to(command_line& line);

  /// Strengths that were listed, ascending; none where none were. Throws act::error (invalid_option) for what
  /// isn't a list of such numbers.
  [[nodiscard]] std::vector<double> strengths() const;

  /// The options in force: the file's (or the defaults), then what was given. Throws act::error
  /// (invalid_option).
  [[nodiscard]] act::tasks::named_calibration over(const std::optional<act::search::heads_file>& file) const;

  /// Throws act::error (invalid_option) when any was given: there are no heads for it.
  void refuse_without_heads() const;

  /// What names the part of each prompt that the options want, for messages: the flag, or the member of the
  /// heads file `path`.
  [[nodiscard]] std::string part_from(const act::calibration_options& options, const std::string& path) const;

 private:
  /// The first that was given, --mask too; empty when none was.
  [[nodiscard]] std::string first_given() const;
  void choose_columns(act::tasks::named_calibration& made) const;
  void check_masks_alone() const;
  [[nodiscard]] bool any_given() const;  // but for --mask

  command_option betas_, factors_;
  command_option beta_, redistribution_, subset_, theta_, columns_, factor_, mask_, compatibility_;
};

/// What messages call the choices that these options make.
inline constexpr act::tasks::choice_names flag_names{.scoring = "--scoring",
                                                     .long_prompts = "--long-prompts",
                                                     .subset = "--subset",
                                                     .redistribution = "--redistribution"};

/// The same where a part of each prompt may be what is changed, not what receives.
[[nodiscard]] act::tasks::choice_names flag_names_for(const act::calibration_options& options);

/// What happens to prompts that are longer than the model's context.
struct long_prompts_flag {
  std::string long_prompts = "error";

  void add_to(command_line& line);

  [[nodiscard]] act::tasks::long_prompts policy() const;
};

/// What special tokens written out in a data set's text are.
struct special_tokens_flag {
  bool are_tokens = false;

  void add_to(command_line& line);

  [[nodiscard]] act::runtime::special_tokens_in_text written() const;
  /// "text" or "tokens", as results record it.
  [[nodiscard]] std::string name() const;
  /// Records it as "special_tokens".
  void add_to(act::io::json_document& result) const;
};

/// Whether a classification prompt ends with the space that the authors' layout has there.
struct final_space_flag {
  bool left_out = false;

  void add_to(command_line& line);

  /// The task as it is asked. Throws act::error (invalid_option) for one without such a space.
  [[nodiscard]] act::tasks::task applied_to(act::tasks::task task) const;
  /// Records it as "final_space", where the task has one.
  void add_to(act::io::json_document& result, const act::tasks::task& task) const;
};

/// How samples are scored and what happens to long prompts.
struct scoring_flags : long_prompts_flag {
  std::string scoring = "default";
  special_tokens_flag special_tokens;
  final_space_flag final_space;

  void add_to(command_line& line);

  [[nodiscard]] act::tasks::scoring_rule rule() const;

  /// The rule's name for a task: labels, letters, greedy or likelihood. Throws act::error (invalid_option)
  /// for one that the task doesn't have.
  [[nodiscard]] std::string name_for(const act::tasks::task& task) const;
};

}  // namespace act_program
