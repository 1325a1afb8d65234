#include "inspect/data.hpp"

#include <act/error.hpp>
#include <act/inspection/observe.hpp>
#include <act/inspection/sample_prompts.hpp>
#include <act/inspection/summary.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/report/inspection_page.hpp>
#include <act/report/inspection_report.hpp>
#include <act/report/progress.hpp>
#include <act/report/token_text.hpp>
#include <act/runtime/load_model.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>
#include <act/tasks/task.hpp>

#include <cstddef>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "inspect/options.hpp"
#include "inspect/result.hpp"
#include "programs/data_identity.hpp"
#include "programs/interruption.hpp"
#include "programs/passed_over.hpp"

namespace act_program {

namespace {

std::vector<act::tasks::sample> read_chosen(const act::tasks::task& task, const inspect_options& options) {
  std::vector<act::tasks::sample> all = act::tasks::read_samples(task, options.data);
  std::vector<act::tasks::sample> samples;
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.limit, options.seed))
    samples.push_back(std::move(all[index]));
  return samples;
}

act::inspection::inspection_summary look(const act::runtime::model& model,
                                         std::span<const std::vector<act::runtime::token_id>> prompts,
                                         const act::inspection::observe_options& how, bool quiet) {
  act::inspection::inspection_accumulator accumulator;
  act::report::progress progress("looking at prompts", prompts.size(), quiet);
  act::inspection::observe_each(
      model, prompts, how,
      [&](std::size_t, act::inspection::prompt_observation&& observed) {
        accumulator.add(observed);
        progress.advance();
      },
      stop_if_interrupted);
  return accumulator.summary();
}

}  // namespace

void inspect_data(const command_line& line, const inspect_options& options) {
  const act::report::provenance_clock clock;
  const act::tasks::task& task = act::tasks::find_task(options.task);
  const std::vector<act::tasks::sample> samples = read_chosen(task, options);
  const std::string sha256 = data_sha256(task, options.data);

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::tokenizer& by = *loaded.tokenizer;
  const act::inspection::sample_prompts made =
      act::inspection::prompts_of(task, samples, by, loaded.model.config.context,
                                  options.long_prompts.policy(), options.data, flag_names);
  if (made.prompts.empty()) {
    throw act::error(
        act::error_code::invalid_input, options.data,
        "every chosen sample is longer than the model's context; use --long-prompts truncate-left");
  }
  const passed_over passed{.too_long = made.skipped, .truncated = made.truncated};
  const act::inspection::observe_options how{.sinks = options.sinks.over({})};
  const act::inspection::inspection_summary summary =
      look(loaded.model, made.prompts, how, options.common.quiet);

  if (!options.common.json.empty()) {
    act::io::json_document document = act::io::json_document::object({{"task", task.name}});
    document.update(act::report::to_json(summary, by));
    passed.add_to(document);
    document.set("sinks", act::report::sinks_json(summary, by));
    document.set("data", act::io::json_document::object({{"file", options.data}, {"sha256", sha256}}));
    write_inspection(std::move(document), how.sinks, loaded.model, clock, line, options);
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

}  // namespace act_program
