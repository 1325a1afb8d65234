// act-inspect: where a model's attention sinks are, on one prompt or over a data set.
#include <act/inspection/observe.hpp>
#include <act/inspection/sample_prompts.hpp>
#include <act/inspection/summary.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/text_file.hpp>
#include <act/report/inspection_heat_map.hpp>
#include <act/report/inspection_page.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/progress.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "data_identity.hpp"
#include "inspect_options.hpp"
#include "main.hpp"
#include "passed_over.hpp"
#include "result_file.hpp"

namespace {

using namespace act_program;

// What both kinds of results end with.
void write_json(nlohmann::ordered_json document, const act::sink_options& sinks,
                const act::runtime::model& model, const act::report::provenance_clock& clock,
                const CLI::App& app, const inspect_options& options) {
  document["options"] = act::report::to_json(sinks);
  document["model"] = act::runtime::to_json(act::runtime::identity_of(model));
  act_program::write_result(options.common.json, std::move(document), app, clock);
}

// What a page says at its top: what was looked at, with which model, and what counts as a sink.
act::report::page_heading heading_of(const std::string& what, const act::sink_options& sinks,
                                     const act::runtime::loaded_model& loaded) {
  // A folder may be given with a slash at its end.
  const bool named = loaded.path.has_filename();
  const std::string name =
      act::report::visible_text((named ? loaded.path : loaded.path.parent_path()).filename().string());
  const std::string rule =
      sinks.rule == act::sink_rule::absolute
          ? "its score is over " + act::report::detail::formatted("%g", sinks.tau)
          : "its score is over " + act::report::detail::formatted("%g", sinks.alpha) +
                (sinks.rule == act::sink_rule::relative ? " / N, N the prompt's tokens"
                                                        : " times what uniform attention gives it");
  const std::string rows = sinks.min_visible_rows > 1
                               ? ", and at least " + std::to_string(sinks.min_visible_rows) + " rows see it"
                               : "";
  return {
      .title = "Attention sinks of " + name,
      .lines = {what, "A token other than the first is a head's sink when " + rule + rows + ". act-inspect " +
                          std::string(ACT_VERSION_STRING) + " (" + act::report::git_revision + ")."}};
}

void print_heat_map(const act::inspection::inspection_summary& summary, const inspect_options& options) {
  std::cout << '\n'
            << act::report::heat_map(summary, {.colour = wants_colour(options)}) << '\n'
            << act::report::inspection_remarks(summary);
}

void inspect_prompt(const CLI::App& app, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const bool from_file = !options.prompt_file.empty();
  const std::string text = from_file ? act::io::read_text_file(options.prompt_file).text : options.prompt;
  const std::string name = from_file ? options.prompt_file : "--prompt";
  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const std::vector<std::vector<act::runtime::token_id>> prompts{by.encode(text)};
  const std::size_t tokens = prompts.front().size();
  if (tokens == 0) {
    throw act::error(act::error_code::invalid_input, name, "has no tokens to look at; give a text");
  }
  if (tokens > loaded.model.config.context) {
    throw act::error(act::error_code::invalid_input, name,
                     "has " + std::to_string(tokens) + " tokens, the model's context is " +
                         std::to_string(loaded.model.config.context) + "; shorten the text");
  }
  const act::runtime::model_config& config = loaded.model.config;
  const act::inspection::observe_options how{
      .sinks = options.sinks.over({}),
      .picture_side =
          options.html.empty() ? 0 : act::report::page_picture_side(config.layers * config.heads, tokens)};
  act::inspection::prompt_observation observed;
  {
    act::report::progress progress("looking at layers", config.layers, options.common.quiet);
    observed = std::move(act::inspection::observe(loaded.model, prompts, how, [&] {
                           progress.advance();
                           stop_if_interrupted();
                         }).front());
  }
  const act::inspection::inspection_summary summary = act::inspection::summarise(observed);

  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{{"prompt", text}, {"prompt_tokens", observed.tokens}};
    document.update(act::report::to_json(summary, by));
    document["sinks"] = act::report::sinks_json(observed, by);
    write_json(std::move(document), how.sinks, loaded.model, clock, app, options);
  }
  if (!options.html.empty()) {
    const act::report::page_heading heading = heading_of(
        std::to_string(tokens) + " tokens: " + act::report::visible_text(text, 300), how.sinks, loaded);
    act::io::write_file(options.html,
                        act::report::inspection_page(heading, summary, observed, by, options.top));
  }
  std::cout << tokens << " tokens, first " << act::report::quoted_token(by, observed.tokens.front()) << "; "
            << summary.layers << " layers of " << summary.heads << " heads\n";
  print_heat_map(summary, options);
  if (summary.sinks == 0 || options.top == 0) return;
  std::cout << "\nthe sinks that hold most of their head's attention\n"
            << act::report::strongest_sinks_table(observed, by, options.top)
            << "\nthe tokens that are sinks of most heads\n"
            << act::report::sink_positions_table(observed, by, options.top);
}

void inspect_data(const CLI::App& app, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const act::tasks::task& task = act::tasks::find_task(options.task);
  std::vector<act::tasks::sample> all = act::tasks::read_samples(task, options.data);
  const std::string sha256 = data_sha256(task, options.data);
  std::vector<act::tasks::sample> samples;
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.limit, options.seed))
    samples.push_back(std::move(all[index]));

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::inspection::sample_prompts made = act::inspection::prompts_of(
      task, samples, by, loaded.model.config.context, options.long_prompts.policy(), options.data);
  if (made.prompts.empty()) {
    throw act::error(
        act::error_code::invalid_input, options.data,
        "every chosen sample is longer than the model's context; use --long-prompts truncate-left");
  }
  const passed_over passed{.too_long = made.skipped, .truncated = made.truncated};
  const act::inspection::observe_options how{.sinks = options.sinks.over({})};
  act::inspection::inspection_accumulator accumulator;
  {
    act::report::progress progress("looking at prompts", made.prompts.size(), options.common.quiet);
    act::inspection::observe_each(
        loaded.model, made.prompts, how,
        [&](std::size_t, act::inspection::prompt_observation&& observed) {
          accumulator.add(observed);
          progress.advance();
        },
        stop_if_interrupted);
  }
  const act::inspection::inspection_summary summary = accumulator.summary();

  if (!options.common.json.empty()) {
    nlohmann::ordered_json document{{"task", task.name}};
    document.update(act::report::to_json(summary, by));
    passed.add_to(document);
    document["sinks"] = act::report::sinks_json(summary, by);
    document["data"] = {{"file", options.data}, {"sha256", sha256}};
    write_json(std::move(document), how.sinks, loaded.model, clock, app, options);
  }
  if (!options.html.empty()) {
    const std::string what = task.name + ": " + std::to_string(summary.prompts) + " prompts of " +
                             act::report::visible_text(options.data) + ", " + std::to_string(summary.tokens) +
                             " tokens. All numbers are means.";
    act::io::write_file(options.html, act::report::inspection_page(heading_of(what, how.sinks, loaded),
                                                                   summary, by, options.top));
  }
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

void run(const CLI::App& app, const inspect_options& options) {
  check_usage(app, options);
  check_outputs({{"--json", options.common.json}, {"--html", options.html}},
                {options.common.model, options.data, options.prompt_file});
  act::set_thread_count(options.common.threads);
  if (options.task.empty()) {
    inspect_prompt(app, options);
  } else {
    inspect_data(app, options);
  }
}

}  // namespace

int act_inspect(int count, char** arguments) {
  CLI::App app{"Where a model's attention sinks are: of every head, on one prompt or over a data set.",
               "act-inspect"};
  inspect_options options;
  declare(app, options);
  return main_of(app, count, arguments, [&] { run(app, options); });
}
