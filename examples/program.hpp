// What the programs share: common options, exit codes, interruption. The programs themselves only parse, call
// and print.
#pragma once

#include <CLI/CLI.hpp>

#include <unistd.h>
#include <act/error.hpp>
#include <act/parallel.hpp>
#include <act/report/provenance.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/redistribution_name.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace act_program {

// Exit codes: part of the contract with scripts.
inline constexpr int exit_done = 0;
inline constexpr int exit_bad_input = 1;
inline constexpr int exit_wrong_usage = 2;
inline constexpr int exit_interrupted = 130;

/// Thrown between batches after Ctrl-C. `remark`: what its one line says besides.
class interrupted : public std::exception {
 public:
  explicit interrupted(const std::string& remark = {})
      : line_(remark.empty() ? "interrupted" : "interrupted; " + remark) {}
  [[nodiscard]] const char* what() const noexcept override { return line_.c_str(); }

 private:
  std::string line_;
};

inline std::atomic<bool> interruption_requested{false};

/// The first Ctrl-C (or SIGTERM) asks the program to stop at the next batch; a second one ends it at once.
inline void listen_for_interruption() {
  struct sigaction action {};
  action.sa_handler = [](int) { interruption_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

inline void stop_if_interrupted() {
  if (interruption_requested) throw interrupted();
}

/// Options that every program has.
struct common_options {
  std::string model;
  std::size_t threads = 0;
  bool quiet = false;
  std::string json;

  void add_to(CLI::App& app) {
    app.add_option("--model", model,
                   "A GGUF file, or a Hugging Face folder (config.json, *.safetensors, tokenizer files)")
        ->required()
        ->type_name("PATH");
    app.add_option("--threads", threads, "Threads to use; 0: all cores")
        ->type_name("N")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    app.add_flag("--quiet", quiet, "Print results only: no progress, no remarks");
    app.add_option("--json", json, "Write the result as JSON too")->type_name("FILE");
  }
};

/// What a sink is.
struct sink_flags {
  std::string rule = "relative";
  act::sink_options values;

  void add_to(CLI::App& app, const std::string& group) {
    rule_ = app.add_option("--rule", rule,
                           "What a sink is: relative (score > alpha / keys), absolute (score > tau) or "
                           "baseline-corrected (score > alpha x uniform attention's)")
                ->group(group);
    alpha_ = app.add_option("--alpha", values.alpha,
                            "Factor of the relative and the baseline-corrected rule (paper: 5)")
                 ->group(group);
    tau_ = app.add_option("--tau", values.tau, "Threshold of the absolute rule (authors: 0.1)")->group(group);
    rows_ = app.add_option("--min-visible-rows", values.min_visible_rows,
                           "Columns that fewer rows see are never sinks (paper: 1)")
                ->group(group);
  }

  /// `before` with what was given. Throws act::error (invalid_option) for a name that is no rule.
  [[nodiscard]] act::sink_options over(act::sink_options before) const {
    if (rule_->count() > 0) before.rule = act::tasks::option_named<act::sink_rule>(rule, "--rule");
    if (alpha_->count() > 0) before.alpha = values.alpha;
    if (tau_->count() > 0) before.tau = values.tau;
    if (rows_->count() > 0) before.min_visible_rows = values.min_visible_rows;
    return before;
  }

 private:
  CLI::Option* rule_ = nullptr;
  CLI::Option* alpha_ = nullptr;
  CLI::Option* tau_ = nullptr;
  CLI::Option* rows_ = nullptr;
};

/// How heads are calibrated. What is given on the command line wins over a heads file.
struct calibration_flags {
  sink_flags sinks;
  act::tasks::redistribution_name redistribution;
  std::string subset;
  std::string compatibility = "none";
  act::calibration_options values;

  void add_to(CLI::App& app) {
    const std::string group = "Calibration (defaults: the heads file's, else the paper's)";
    beta_ = app.add_option("--beta", values.beta, "What a sink keeps of its weight, 0 .. 1 (paper: 0.4)")
                ->group(group);
    sinks.add_to(app, group);
    redistribution_ =
        app.add_option("--redistribution", redistribution.name,
                       "Where the freed mass goes: proportional (to the row's other keys as they have); the "
                       "paper's ablations: uniform (the same to each), subset (to those of --subset as they "
                       "have), inverse (from other keys to sinks), temperature, inverse-temperature (every "
                       "weight but the first key's to the power of 1/theta, theta; no sinks)")
            ->type_name("NAME")
            ->group(group);
    subset_ =
        app.add_option("--subset", subset,
                       "Of --redistribution subset, the part of each prompt that receives: question, or "
                       "choices (multiple choice)")
            ->type_name("PART")
            ->group(group);
    theta_ =
        app.add_option("--theta", redistribution.theta, "The temperatures' theta (paper: 1.1)")->group(group);
    compatibility_ = app.add_option("--compatibility", compatibility,
                                    "none, or authors: the published code's behaviour, quirks included")
                         ->group(group);
  }

  /// The options in force: the file's (or the defaults), then what was given. Throws act::error
  /// (invalid_option).
  [[nodiscard]] act::tasks::named_calibration over(const std::optional<act::search::heads_file>& file) const {
    act::tasks::named_calibration made;
    act::calibration_options& result = made.options;
    if (file && file->options) made = {*file->options, file->subset};
    if (beta_->count() > 0) result.beta = values.beta;
    result.sinks = sinks.over(result.sinks);
    act::tasks::redistribution_name named = act::tasks::redistribution_of(result);
    if (redistribution_->count() > 0) named.name = redistribution.name;
    if (theta_->count() > 0) {
      if (!named.has_theta()) {
        throw act::error(act::error_code::invalid_option, "--theta",
                         "is for --redistribution temperature or inverse-temperature, not " + named.name);
      }
      if (!(redistribution.theta > 0)) {
        throw act::error(act::error_code::invalid_option, "--theta", "must be a number over 0 (paper: 1.1)");
      }
      named.theta = redistribution.theta;
    }
    act::tasks::set_redistribution(result, named, "--redistribution");
    const bool to_subset = result.redistribute == act::redistribution::subset;
    if (!to_subset) made.subset.reset();
    if (subset_->count() > 0) {
      if (!to_subset) {
        throw act::error(act::error_code::invalid_option, "--subset",
                         "is for --redistribution subset, not " + named.name);
      }
      made.subset = act::tasks::option_named<act::tasks::prompt_part>(subset, "--subset");
    }
    if (to_subset && !made.subset) {
      throw act::error(act::error_code::invalid_option, "--redistribution",
                       "subset needs --subset, the part of each prompt that receives: question or choices");
    }
    if (compatibility_->count() > 0) {
      result.behave_as = act::tasks::option_named<act::compatibility>(compatibility, "--compatibility");
    }
    act::throw_if(made.validate(), act::error_code::invalid_option);
    return made;
  }

  [[nodiscard]] bool subset_given() const { return subset_->count() > 0; }

 private:
  CLI::Option* beta_ = nullptr;
  CLI::Option* redistribution_ = nullptr;
  CLI::Option* subset_ = nullptr;
  CLI::Option* theta_ = nullptr;
  CLI::Option* compatibility_ = nullptr;
};

/// What happens to prompts that are longer than the model's context.
struct long_prompts_flag {
  std::string long_prompts = "error";

  void add_to(CLI::App& app) {
    app.add_option("--long-prompts", long_prompts,
                   "A prompt longer than the model's context: error, skip, truncate-left")
        ->check(CLI::IsMember({"error", "skip", "truncate-left"}))
        ->capture_default_str();
  }

  [[nodiscard]] act::tasks::long_prompts policy() const {
    if (long_prompts == "skip") return act::tasks::long_prompts::skip;
    return long_prompts == "truncate-left" ? act::tasks::long_prompts::truncate_left
                                           : act::tasks::long_prompts::refuse;
  }
};

/// How samples are scored and what happens to long prompts.
struct scoring_flags : long_prompts_flag {
  std::string scoring = "default";

  void add_to(CLI::App& app) {
    app.add_option("--scoring", scoring,
                   "labels (classification), letters (multiple choice), greedy (the one most likely token of "
                   "all, which must say the label or letter), likelihood (of each option's own text); "
                   "default: labels or letters, whichever the task has")
        ->check(CLI::IsMember({"default", "labels", "letters", "greedy", "likelihood"}))
        ->type_name("RULE");
    long_prompts_flag::add_to(app);
  }

  [[nodiscard]] act::tasks::scoring_rule rule() const {
    if (scoring == "greedy") return act::tasks::scoring_rule::greedy;
    return scoring == "likelihood" ? act::tasks::scoring_rule::likelihood : act::tasks::scoring_rule::words;
  }

  /// The rule's name for a task: labels, letters, greedy or likelihood. Throws act::error (invalid_option)
  /// for one that the task doesn't have.
  [[nodiscard]] std::string name_for(const act::tasks::task& task) const {
    const bool letters = task.kind == act::tasks::task_kind::multiple_choice;
    const bool options = letters || task.kind == act::tasks::task_kind::verbatim;
    const std::string usual = letters ? "letters" : "labels";
    const std::string name = scoring == "default" ? usual : scoring;
    if (name != usual && name != "greedy" && !(name == "likelihood" && options)) {
      throw act::error(act::error_code::invalid_option, "--scoring",
                       "task '" + task.name + "' is scored by " + usual +
                           (options ? ", greedy or likelihood" : " or greedy") + ", not " + name);
    }
    return name;
  }
};

/// Throws act::error unless every output can be written where it should go and overwrites nothing that the
/// program reads or writes itself. Called before the work: a result that has nowhere to go is noticed first.
/// `outputs`: option and path, empty paths aside; `inputs`: what is read.
inline void check_outputs(const std::vector<std::pair<std::string, std::string>>& outputs,
                          const std::vector<std::string>& inputs) {
  namespace fs = std::filesystem;
  const auto same = [](const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored) ||
           fs::equivalent(a, b, ignored);
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [option, path] = outputs[i];
    if (path.empty()) continue;
    std::error_code ignored;
    if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) &&
        !fs::is_directory(path, ignored)) {
      continue;  // a pipe or a device, written straight to
    }
    for (const std::string& input : inputs) {
      if (!input.empty() && same(path, input)) {
        throw act::error(act::error_code::invalid_option, option,
                         "would overwrite '" + input + "', which is read");
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].second.empty() && same(path, outputs[j].second)) {
        throw act::error(act::error_code::invalid_option, option,
                         "and " + outputs[j].first + " name the same file");
      }
    }
    const fs::path folder = fs::absolute(path, ignored).parent_path();
    if (fs::is_directory(path, ignored) || ::access(folder.c_str(), W_OK) != 0) {
      throw act::error(act::error_code::io, path, "can't be written (" + option + "); check the folder");
    }
  }
}

/// Parses, runs, and turns every way to fail into one line on stderr and an exit code. `run` does the work.
template <class Run>
int main_of(CLI::App& app, int count, char** arguments, Run&& run) {
  app.set_version_flag("--version", std::string(ACT_VERSION_STRING) + " (" + act::report::git_revision + ")");
  app.get_formatter()->column_width(36);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    const int code = app.exit(problem);
    return code == 0 ? exit_done : exit_wrong_usage;
  }
  listen_for_interruption();
  try {
    run();
    return exit_done;
  } catch (const interrupted& stopped) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), stopped.what());
    return exit_interrupted;
  } catch (const act::error& problem) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), problem.what());
    // An option's value that can't be is usage, like one that doesn't parse.
    return problem.code() == act::error_code::invalid_option ? exit_wrong_usage : exit_bad_input;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: out of memory; use a smaller model or fewer samples\n", app.get_name().c_str());
    return exit_bad_input;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), problem.what());
    return exit_bad_input;
  }
}

}  // namespace act_program
