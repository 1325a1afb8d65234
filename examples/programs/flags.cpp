#include "programs/flags.hpp"

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/option_names.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/scoring_names.hpp>
#include <act/tasks/task.hpp>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>
#include <vector>

#include "programs/command_line.hpp"

namespace act_program {

void sink_flags::add_to(command_line& line, const std::string& group) {
  rule_ = line.add("--rule", rule,
                   "What a sink is: relative (score > alpha / keys), absolute (score > tau) or "
                   "baseline-corrected (score > alpha x uniform attention's)")
              .group(group);
  alpha_ =
      line.add("--alpha", values.alpha, "Factor of the relative and the baseline-corrected rule (paper: 5)")
          .group(group);
  tau_ = line.add("--tau", values.tau, "Threshold of the absolute rule (authors: 0.1)").group(group);
  rows_ = line.add("--min-visible-rows", values.min_visible_rows,
                   "Columns that fewer rows see are never sinks (paper: 1)")
              .group(group);
}

act::sink_options sink_flags::over(act::sink_options before) const {
  if (rule_.given()) before.rule = act::tasks::option_named<act::sink_rule>(rule, "--rule");
  if (alpha_.given()) before.alpha = values.alpha;
  if (tau_.given()) before.tau = values.tau;
  if (rows_.given()) before.min_visible_rows = values.min_visible_rows;
  const bool absolute = before.rule == act::sink_rule::absolute;
  if (tau_.given() && !absolute)
    throw act::error(act::error_code::invalid_option, "--tau",
                     "is for --rule absolute; the others have --alpha");
  if (alpha_.given() && absolute)
    throw act::error(act::error_code::invalid_option, "--alpha",
                     "is for other rules than absolute, which has --tau");
  return before;
}

std::string sink_flags::given() const {
  if (rule_.given()) return "--rule";
  if (alpha_.given()) return "--alpha";
  if (tau_.given()) return "--tau";
  return rows_.given() ? "--min-visible-rows" : "";
}

act::tasks::choice_names flag_names_for(const act::calibration_options& options) {
  act::tasks::choice_names names = flag_names;
  if (options.columns == act::column_choice::span) {
    names.subset = names.redistribution = "--columns";
    names.purpose = "to be changed";
  }
  return names;
}

void calibration_flags::add_to(command_line& line) {
  const std::string group = "Calibration (defaults: the heads file's, else the paper's)";
  beta_ =
      line.add("--beta", values.beta, "What a sink keeps of its weight, 0 .. 1 (paper: 0.4)").group(group);
  sinks.add_to(line, group);
  redistribution_ =
      line.add("--redistribution", redistribution.name,
               "Where the freed mass goes: proportional (to the row's other keys as they have); the "
               "paper's ablations: uniform (the same to each), subset (to those of --subset as they "
               "have), inverse (from other keys to sinks), temperature, inverse-temperature (every "
               "weight but the first key's to the power of 1/theta, theta; no sinks); renormalised "
               "(columns times --factor, then each row its mass back)")
          .value_name("NAME")
          .group(group);
  subset_ = line.add("--subset", subset,
                     "Of --redistribution subset, the part of each prompt that receives: question, "
                     "choices (multiple choice) or instruction")
                .value_name("PART")
                .group(group);
  theta_ = line.add("--theta", redistribution.theta, "The temperatures' theta (paper: 1.1)").group(group);
  columns_ = line.add("--columns", columns,
                      "What is changed (docs/rivals.md): sinks, initial-token, or a part of each prompt: "
                      "question, choices, instruction")
                 .value_name("NAME")
                 .group(group);
  factor_ = line.add("--factor", values.factor,
                     "Instead of --beta: what columns are multiplied by before rows get their mass back; "
                     "0, or 1e-6 .. 1e6, over 1 strengthens")
                .value_name("F")
                .group(group);
  mask_ = line.add_flag("--mask", masks, "Mask the heads instead: what each of them says is nothing")
              .group(group);
  compatibility_ = line.add("--compatibility", compatibility,
                            "none, or authors: the published code's behaviour, quirks included")
                       .group(group);
}

void calibration_flags::add_lists_to(command_line& line) {
  const std::string group = "Calibration (defaults: the heads file's, else the paper's)";
  betas_ = line.add("--betas", betas,
                    "Instead of --beta: try each head with each of these and choose one for it, for example "
                    "0,0.4,0.7")
               .value_name("B,B...")
               .group(group);
  factors_ =
      line.add("--factors", factors, "Instead of --factor, likewise: 0.2,0.5,2,5; those over 1 strengthen")
          .value_name("F,F...")
          .group(group);
}

std::vector<double> parse_strengths(const std::string& text, const std::string& flag, strength_kind kind) {
  const bool are_factors = kind == strength_kind::factor;
  const auto refuse = [&](const std::string& why) {
    throw act::error(act::error_code::invalid_option, flag, why);
  };
  std::vector<double> list;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (true) {
    double value = 0;
    const auto [after, problem] = std::from_chars(at, end, value);
    if (problem != std::errc{} || (after != end && *after != ','))
      refuse("'" + text.substr(0, 60) + "' isn't numbers with commas between them, for example 0,0.4,0.7");
    if (value == 1) refuse("has a 1, which changes nothing; leave it out");
    if (are_factors ? !(value == 0 || (value >= 1e-6 && value <= 1e6)) : !(value >= 0 && value <= 1)) {
      refuse(are_factors ? "must be 0, or between 1e-6 and 1e6"
                         : "must be between 0 and 1; --factors over 1 strengthen");
    }
    list.push_back(value);
    if (after == end) break;
    at = after + 1;
  }
  std::sort(list.begin(), list.end());
  if (std::adjacent_find(list.begin(), list.end()) != list.end())
    refuse("has a number twice; leave it out once");
  return list;
}

std::vector<double> calibration_flags::strengths() const {
  if (factors_.given()) return parse_strengths(factors, "--factors", strength_kind::factor);
  if (betas_.given()) return parse_strengths(betas, "--betas", strength_kind::beta);
  return {};
}

act::tasks::named_calibration calibration_flags::over(
    const std::optional<act::search::heads_file>& file) const {
  act::tasks::named_calibration made;
  act::calibration_options& result = made.options;
  if (mask_.given()) {
    check_masks_alone();
    made.masks = true;
    return made;
  }
  if (file && file->options) made = {*file->options, file->subset, file->masks};
  if (made.masks && any_given()) made = {};  // the line's own, over the defaults
  if (beta_.given()) result.beta = values.beta;
  // What every head has that has none of its own: the first.
  if (betas_.given()) {
    if (beta_.given()) throw act::error(act::error_code::invalid_option, "--betas", "doesn't go with --beta");
    result.beta = strengths().front();
  }
  result.sinks = sinks.over(result.sinks);
  act::tasks::redistribution_name named = act::tasks::redistribution_of(result);
  if (redistribution_.given()) named.name = redistribution.name;
  if (theta_.given()) {
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
  choose_columns(made);
  const bool to_subset = result.redistribute == act::redistribution::subset;
  if (!to_subset && result.columns != act::column_choice::span) made.subset.reset();
  if (subset_.given()) {
    if (!to_subset) {
      throw act::error(act::error_code::invalid_option, "--subset",
                       "is for --redistribution subset, not " + named.name);
    }
    made.subset = act::tasks::option_named<act::tasks::prompt_part>(subset, "--subset");
  }
  if (to_subset && !made.subset) {
    throw act::error(act::error_code::invalid_option, "--redistribution",
                     "subset needs --subset, the part of each prompt that receives: question, choices or "
                     "instruction");
  }
  if (compatibility_.given()) {
    result.behave_as = act::tasks::option_named<act::compatibility>(compatibility, "--compatibility");
  }
  act::throw_if(made.validate(), act::error_code::invalid_option);
  return made;
}

// Columns and factor, once it is known where mass goes.
void calibration_flags::choose_columns(act::tasks::named_calibration& made) const {
  const auto refuse = [](const std::string& flag, const std::string& why) {
    throw act::error(act::error_code::invalid_option, flag, why);
  };
  act::calibration_options& options = made.options;
  if (factors_.given() && factor_.given()) refuse("--factors", "doesn't go with --factor");
  if (factor_.given() || factors_.given()) {
    if (redistribution_.given() && options.redistribute != act::redistribution::renormalised)
      refuse(factor_.given() ? "--factor" : "--factors",
             "is for --redistribution renormalised, not " + redistribution.name);
    options.redistribute = act::redistribution::renormalised;
    options.factor = factor_.given() ? values.factor : strengths().front();
  }
  const bool renormalised = options.redistribute == act::redistribution::renormalised;
  if (!renormalised) options.factor = 1;
  if (renormalised && options.factor == 1)
    refuse("--redistribution", "renormalised needs --factor, another than 1");
  if (renormalised && beta_.given())
    refuse("--beta", "is for other columns' rows than renormalised ones: give --factor");
  if (renormalised && betas_.given())
    refuse("--betas", "is for other columns' rows than renormalised ones: give --factors");
  if (options.redistribute == act::redistribution::temperature) {
    if (betas_.given() || beta_.given())
      refuse(beta_.given() ? "--beta" : "--betas", "has no meaning with a temperature, which has --theta");
    if (!sinks.given().empty()) refuse(sinks.given(), "says what a sink is; a temperature looks for none");
  }
  if (columns_.given()) act::tasks::set_columns(made, columns, "--columns");
  if (options.columns != act::column_choice::sinks && !sinks.given().empty()) {
    refuse(sinks.given(),
           "says what a sink is; --columns " + act::tasks::columns_of(made) + " looks for none");
  }
}

void calibration_flags::check_masks_alone() const {
  if (any_given()) {
    throw act::error(act::error_code::invalid_option, "--mask",
                     "leaves nothing of a head, so no other option of calibration applies; leave them out");
  }
}

std::string calibration_flags::first_given() const {
  const std::string of_sinks = sinks.given();
  if (!of_sinks.empty()) return of_sinks;
  using named = std::pair<const command_option*, const char*>;
  for (const auto& [option, name] :
       {named{&betas_, "--betas"}, named{&factors_, "--factors"}, named{&beta_, "--beta"},
        named{&redistribution_, "--redistribution"}, named{&subset_, "--subset"}, named{&theta_, "--theta"},
        named{&columns_, "--columns"}, named{&factor_, "--factor"}, named{&compatibility_, "--compatibility"},
        named{&mask_, "--mask"}}) {
    if (option->given()) return name;
  }
  return {};
}

bool calibration_flags::any_given() const {
  const std::string first = first_given();
  return !first.empty() && first != "--mask";
}

void calibration_flags::refuse_without_heads() const {
  if (const std::string name = first_given(); !name.empty()) {
    throw act::error(
        act::error_code::invalid_option, name,
        "says how heads are calibrated, and there are none; name them with --heads, or leave it out");
  }
}

std::string calibration_flags::part_from(const act::calibration_options& options,
                                         const std::string& path) const {
  if (options.columns == act::column_choice::span)
    return columns_.given() ? "--columns" : path + ": options.columns";
  return subset_.given() ? "--subset" : path + ": options.subset";
}

void long_prompts_flag::add_to(command_line& line) {
  line.add("--long-prompts", long_prompts,
           "A prompt longer than the model's context: error, skip, truncate-left")
      .one_of({"error", "skip", "truncate-left"})
      .show_default();
}

act::tasks::long_prompts long_prompts_flag::policy() const {
  if (long_prompts == "skip") return act::tasks::long_prompts::skip;
  return long_prompts == "truncate-left" ? act::tasks::long_prompts::truncate_left
                                         : act::tasks::long_prompts::refuse;
}

void special_tokens_flag::add_to(command_line& line) {
  line.add_flag("--special-tokens", are_tokens,
                "Special tokens that stand in the data ('<|im_end|>') are tokens; without it they are text");
}

act::runtime::special_tokens_in_text special_tokens_flag::written() const {
  return are_tokens ? act::runtime::special_tokens_in_text::are_tokens
                    : act::runtime::special_tokens_in_text::are_text;
}

std::string special_tokens_flag::name() const {
  return are_tokens ? "tokens" : "text";
}

void special_tokens_flag::add_to(act::io::json_document& result) const {
  result.set("special_tokens", name());
}

void final_space_flag::add_to(command_line& line) {
  line.add_flag("--no-final-space", left_out,
                "End classification prompts at the cue ('Sentiment:'), without the space that the authors' "
                "layout has behind it; models with SentencePiece answer worse after that space");
}

act::tasks::task final_space_flag::applied_to(act::tasks::task task) const {
  return left_out ? act::tasks::without_final_space(std::move(task), "--no-final-space") : task;
}

void final_space_flag::add_to(act::io::json_document& result, const act::tasks::task& task) const {
  if (task.kind == act::tasks::task_kind::classification) result.set("final_space", !left_out);
}

void scoring_flags::add_to(command_line& line) {
  line.add("--scoring", scoring,
           "labels (classification), letters (multiple choice), greedy (the one most likely token of "
           "all, which must say the label or letter), likelihood (of each option's own text); "
           "default: labels or letters, whichever the task has")
      .one_of({"default", "labels", "letters", "greedy", "likelihood"})
      .value_name("RULE");
  long_prompts_flag::add_to(line);
  special_tokens.add_to(line);
  final_space.add_to(line);
}

act::tasks::scoring_rule scoring_flags::rule() const {
  return act::tasks::scoring_named(scoring);
}

std::string scoring_flags::name_for(const act::tasks::task& task) const {
  return act::tasks::scoring_name_for(task, scoring, "--scoring");
}

}  // namespace act_program
