#include "inspect/inspection.hpp"

#include <act/error.hpp>
#include <act/inspection/average_maps.hpp>
#include <act/inspection/observe.hpp>
#include <act/inspection/sample_prompts.hpp>
#include <act/inspection/summary.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/io/text_file.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/number_text.hpp>
#include <act/report/pages/inspection_heat_map.hpp>
#include <act/report/pages/inspection_page.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/task.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "inspect/options.hpp"
#include "inspect/pictures.hpp"
#include "programs/build_record.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"

namespace act_program {

namespace {

// Writes a result with what both kinds end with.
void write_inspection(act::io::json_document document, const act::sink_options& sinks,
                      const act::runtime::model& model, const act::report::provenance_clock& clock,
                      const command_line& line, const inspect_options& options) {
  document.set("options", act::report::to_json(sinks));
  document.set("model", act::runtime::to_json(act::runtime::identity_of(model)));
  write_result(options.common.json, std::move(document), line, clock);
}

std::string name_of(const act::runtime::loaded_model& loaded) {
  // A folder may be given with a slash at its end.
  const std::filesystem::path path(loaded.path);
  const bool named = path.has_filename();
  return act::report::visible_text((named ? path : path.parent_path()).filename().string());
}

// What a page says at its top: what was looked at, with which model, and what counts as a sink.
act::report::page_heading heading_of(const std::string& what, const act::sink_options& sinks,
                                     const act::runtime::loaded_model& loaded) {
  const std::string rule =
      sinks.rule == act::sink_rule::absolute
          ? "its score is over " + act::report::formatted("%g", sinks.tau)
          : "its score is over " + act::report::formatted("%g", sinks.alpha) +
                (sinks.rule == act::sink_rule::relative ? " / N, N the prompt's tokens"
                                                        : " times what uniform attention gives it");
  const std::string rows = sinks.min_visible_rows > 1
                               ? ", and at least " + std::to_string(sinks.min_visible_rows) + " rows see it"
                               : "";
  return {
      .title = "Attention sinks of " + name_of(loaded),
      .lines = {what, "A token other than the first is a head's sink when " + rule + rows + ". act-inspect " +
                          std::string(ACT_VERSION_STRING) + " (" + built().revision + ")."}};
}

void print_heat_map(const act::inspection::inspection_summary& summary, const inspect_options& options) {
  std::cout << '\n'
            << act::report::heat_map(summary, {.colour = wants_colour(options)}) << '\n'
            << act::report::inspection_remarks(summary) << act::report::sink_places(summary)
            << "\nscores of tokens in all heads (the paper's Figure 2)\n"
            << act::report::score_table(summary);
}

struct named_prompt {
  std::string name;  ///< for messages
  std::string text;
};

named_prompt read_prompt(const inspect_options& options) {
  if (options.prompt_file.empty()) return {.name = "--prompt", .text = options.prompt};
  act::io::text_file read = read_prompt_file(options.prompt_file);
  return {.name = std::move(read.name), .text = std::move(read.text)};
}

std::vector<act::runtime::token_id> tokens_of(const named_prompt& prompt,
                                              const act::runtime::loaded_model& loaded) {
  std::vector<act::runtime::token_id> ids =
      loaded.tokenizer->encode(prompt.text, act::runtime::special_tokens_in_text::are_tokens);
  const std::size_t tokens = ids.size();
  if (tokens == 0) {
    throw act::error(act::error_code::invalid_input, prompt.name, "has no tokens to look at; give a text");
  }
  if (tokens > loaded.model.config.context) {
    throw act::error(act::error_code::invalid_input, prompt.name,
                     "has " + std::to_string(tokens) + " tokens, the model's context is " +
                         std::to_string(loaded.model.config.context) + "; shorten the text");
  }
  return ids;
}

// Of drawings a cell must be some tenths of a millimetre on paper.
std::size_t picture_side(const inspect_options& options, const act::runtime::model& model,
                         std::size_t tokens) {
  constexpr std::size_t drawn_at_most = 128;
  if (!options.wants_pictures()) return 0;
  const std::size_t side = act::report::page_picture_side(model.config.layers * model.config.heads, tokens);
  return options.svg.empty() ? side : std::min(side, drawn_at_most);
}

act::inspection::prompt_observation look(const act::runtime::model& model,
                                         const std::vector<act::runtime::token_id>& prompt,
                                         const act::inspection::observe_options& how, bool quiet) {
  const bool twice = how.calibration != nullptr && !how.calibration->heads.empty();
  act::report::progress progress("looking at layers", model.config.layers * (twice ? 2 : 1), quiet);
  return std::move(act::inspection::observe(model, {&prompt, 1}, how, [&] {
                     progress.advance();
                     stop_if_interrupted();
                   }).front());
}

}  // namespace

void inspect_prompt(const command_line& line, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const named_prompt prompt = read_prompt(options);
  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const std::vector<act::runtime::token_id> ids = tokens_of(prompt, loaded);
  const std::size_t tokens = ids.size();
  const std::vector<act::layer_head> maps = asked_maps(options, loaded.model);
  const picture_calibration calibrated = picture_calibration_of(line, options, loaded.model);
  const act::inspection::observe_options how{.sinks = calibrated.calibration.options.sinks,
                                             .picture_side = picture_side(options, loaded.model, tokens),
                                             .calibration = &calibrated.calibration};
  const act::inspection::prompt_observation observed = look(loaded.model, ids, how, options.common.quiet);
  const act::inspection::inspection_summary summary = act::inspection::summarise(observed);

  if (!options.common.json.empty()) {
    act::io::json_document document =
        act::io::json_document::object({{"prompt", prompt.text}, {"prompt_tokens", observed.tokens}});
    document.update(act::report::to_json(summary, by));
    document.set("sinks", act::report::sinks_json(observed, by));
    write_inspection(std::move(document), how.sinks, loaded.model, clock, line, options);
  }
  if (!options.html.empty()) {
    const act::report::page_heading heading =
        heading_of(std::to_string(tokens) + " tokens: " + act::report::visible_text(prompt.text, 300),
                   how.sinks, loaded);
    act::io::write_file(options.html, act::report::inspection_page(heading, summary, observed, by,
                                                                   options.top, calibrated.page));
  }
  if (!options.svg.empty()) write_drawings(options, name_of(loaded), summary, observed, calibrated, maps, by);
  std::cout << tokens << " tokens, first " << act::report::quoted_token(by, observed.tokens.front()) << "; "
            << summary.layers << " layers of " << summary.heads << " heads\n";
  print_heat_map(summary, options);
  if (summary.sinks == 0 || options.top == 0) return;
  std::cout << "\nthe sinks that hold most of their head's attention\n"
            << act::report::strongest_sinks_table(observed, by, options.top)
            << "\nthe tokens that are sinks of most heads\n"
            << act::report::sink_positions_table(observed, by, options.top);
}

namespace {

std::vector<act::tasks::sample> read_chosen(const act::tasks::task& task, const inspect_options& options) {
  std::vector<act::tasks::sample> all = act::tasks::read_samples(task, options.data);
  std::vector<act::tasks::sample> samples;
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.limit, options.seed))
    samples.push_back(std::move(all[index]));
  return samples;
}

struct seen_data {
  act::inspection::inspection_summary summary;
  act::inspection::average_maps maps;  ///< with pictures
};

seen_data look(const act::runtime::model& model, std::span<const std::vector<act::runtime::token_id>> prompts,
               const act::inspection::observe_options& how, bool quiet) {
  act::inspection::inspection_accumulator accumulator;
  act::inspection::average_maps maps;
  act::report::progress progress("looking at prompts", prompts.size(), quiet);
  act::inspection::observe_each(
      model, prompts, how,
      [&](std::size_t, act::inspection::prompt_observation&& observed) {
        accumulator.add(observed);
        if (how.picture_side > 0) maps.add(observed);
        progress.advance();
      },
      stop_if_interrupted);
  return {.summary = accumulator.summary(), .maps = std::move(maps)};
}

// Of prompts of any length: as many cells as the shortest has tokens, so that each has them all.
std::size_t mean_side(std::span<const std::vector<act::runtime::token_id>> prompts) {
  std::size_t side = 64;
  for (const std::vector<act::runtime::token_id>& prompt : prompts)
    side = std::min(side, prompt.size());
  return side;
}

}  // namespace

void inspect_data(const command_line& line, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const act::tasks::task task = options.final_space.applied_to(act::tasks::find_task(options.task));
  const std::vector<act::tasks::sample> samples = read_chosen(task, options);
  const std::string sha256 = act::tasks::data_sha256(task, options.data);

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::inspection::sample_prompts made = act::inspection::prompts_of(
      task, samples, by, loaded.model.config.context, options.long_prompts.policy(),
      options.special_tokens.written(), options.data, flag_names);
  if (made.prompts.empty()) {
    throw act::error(
        act::error_code::invalid_input, options.data,
        "every chosen sample is longer than the model's context; use --long-prompts truncate-left");
  }
  const passed_over passed{.too_long = made.skipped, .truncated = made.truncated};
  const picture_calibration calibrated = picture_calibration_of(line, options, loaded.model);
  const act::inspection::observe_options how{
      .sinks = calibrated.calibration.options.sinks,
      .picture_side = options.wants_pictures() ? mean_side(made.prompts) : 0,
      .calibration = &calibrated.calibration};
  const seen_data seen = look(loaded.model, made.prompts, how, options.common.quiet);
  const act::inspection::inspection_summary& summary = seen.summary;

  if (!options.common.json.empty()) {
    act::io::json_document document = act::io::json_document::object({{"task", task.name}});
    document.update(act::report::to_json(summary, by));
    passed.add_to(document);
    options.special_tokens.add_to(document);
    options.final_space.add_to(document, task);
    document.set("sinks", act::report::sinks_json(summary, by));
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", sha256}}));
    write_inspection(std::move(document), how.sinks, loaded.model, clock, line, options);
  }
  if (!options.html.empty()) {
    const std::string what = task.name + ": " + std::to_string(summary.prompts) + " prompts of " +
                             act::report::visible_text(options.data) + ", " + std::to_string(summary.tokens) +
                             " tokens. All numbers are means.";
    act::io::write_file(options.html,
                        act::report::inspection_page(heading_of(what, how.sinks, loaded), summary, seen.maps,
                                                     by, options.top, calibrated.page));
  }
  if (!options.svg.empty())
    write_drawings(options, name_of(loaded) + ", " + task.name, summary, seen.maps, calibrated);
  std::cout << task.name << ": " << summary.prompts << " prompts of " << options.data << ", "
            << summary.tokens << " tokens; " << summary.layers << " layers of " << summary.heads
            << " heads\n";
  std::cout << passed.remarks();
  print_heat_map(summary, options);
  if (summary.sinks == 0 || options.top == 0) return;
  std::cout << "\nthe most frequent sink tokens (the paper's Table 1)\n"
            << act::report::frequent_tokens_table(summary, by, options.top)
            << "\nthe tokens that hold most of a head's attention as its sinks\n"
            << act::report::strongest_sinks_table(summary, by, options.top);
}

}  // namespace act_program
