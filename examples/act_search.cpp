// act-search: finds the heads whose calibration helps, on held-out samples.
#include <act/io/atomic_file.hpp>
#include <act/report/progress.hpp>
#include <act/report/search_report.hpp>
#include <act/search/exact_search.hpp>
#include <act/tasks/prepare.hpp>
#include <act/tasks/read_samples.hpp>
#include <act/tasks/selection.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data_identity.hpp"
#include "main.hpp"
#include "passed_over.hpp"
#include "program.hpp"
#include "result_file.hpp"

namespace {

using namespace act_program;

struct search_options {
  common_options common;
  calibration_flags calibration;
  scoring_flags scoring;
  std::vector<std::string> tasks;
  std::int64_t samples = 100;
  std::uint64_t seed = 0;
  std::string layers{act::search::default_layer_range};
  std::string strategy = "exact";
  std::string select = "paper";
  std::string objective = "accuracy";
  std::string state;
  std::string out;
};

void declare(CLI::App& app, search_options& options) {
  options.common.add_to(app);
  app.add_option("--task", options.tasks,
                 "Task and held-out file, for example sst2=train.tsv; may be repeated")
      ->required()
      ->type_name("NAME=FILE");
  app.add_option("--samples", options.samples, "Samples of each file, chosen by --seed; 0: all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
      ->type_name("M")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Chooses the samples")->type_name("S")->capture_default_str();
  app.add_option("--layers", options.layers,
                 "Layers to search, counted from 0, both ends included, negative from the end")
      ->type_name("FIRST:LAST")
      ->capture_default_str();
  app.add_option("--strategy", options.strategy, "exact: every head on every sample")
      ->check(CLI::IsMember({"exact"}))
      ->capture_default_str();
  app.add_option("--select", options.select, "paper (heads that beat the plain accuracy) or top:K")
      ->type_name("RULE")
      ->capture_default_str();
  app.add_option("--objective", options.objective,
                 "What top:K ranks by: accuracy or likelihood (of the right answer among a sample's)")
      ->check(CLI::IsMember({"accuracy", "likelihood"}))
      ->capture_default_str();
  app.add_option("--state", options.state, "Keep what is computed here; the same command goes on from it")
      ->type_name("FILE");
  app.add_option("--out", options.out, "The heads file to write")->required()->type_name("FILE");
  options.scoring.add_to(app);
  options.calibration.add_to(app);
  app.footer(
      "Examples:\n"
      "  act-search --model M.gguf --task sst2=train.tsv --samples 100 --out heads.json\n"
      "  act-search --model M.gguf --task sst2=a.tsv --task trec=b.txt --select top:15 --objective "
      "likelihood \\\n"
      "             --state search.state --out heads.json\n"
      "  act-search --model M.gguf --task arce=dev.jsonl --scoring likelihood --out heads.json\n"
      "  act-search --model M.gguf --task arce=dev.jsonl --redistribution subset --subset question --out "
      "heads.json\n"
      "Exit codes: 0 done (also when no head helps), 1 bad input, 2 wrong usage, 130 interrupted.");
}

struct task_file {
  const act::tasks::task* task;
  std::string file;
};

std::vector<task_file> parse_tasks(const std::vector<std::string>& given) {
  std::vector<task_file> parsed;
  for (const std::string& each : given) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos || equals + 1 == each.size()) {
      throw act::error(act::error_code::invalid_option, "--task",
                       "'" + each + "' isn't NAME=FILE, for example sst2=train.tsv");
    }
    const act::tasks::task& task = act::tasks::find_task(each.substr(0, equals));
    if (task.kind == act::tasks::task_kind::open_ended) {
      throw act::error(
          act::error_code::invalid_option, "--task",
          "'" + task.name +
              "' can't be searched: its answers are generated, so each of thousands of trials would "
              "take a generation; search on another task");
    }
    parsed.push_back({&task, each.substr(equals + 1)});
  }
  return parsed;
}

struct chosen_samples {
  act::search::search_source source;
  std::vector<act::tasks::sample> samples;
};

chosen_samples choose(const task_file& from, const search_options& options) {
  const std::vector<act::tasks::sample> all = act::tasks::read_samples(*from.task, from.file);
  chosen_samples chosen;
  chosen.source = {.task = from.task->name,
                   .file = from.file,
                   .sha256 = data_sha256(*from.task, from.file),
                   .scoring = {},
                   .indices = {}};
  for (const std::size_t index : act::tasks::select_limited(all.size(), options.samples, options.seed)) {
    chosen.source.indices.push_back(index);
    chosen.samples.push_back(all[index]);
  }
  return chosen;
}

// For a shell: in single quotes unless every character is harmless.
std::string quoted(const std::string& argument) {
  constexpr std::string_view harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(harmless) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument)
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The command that searches the default range, with everything else as it was given.
std::string full_range_command(const CLI::App& app, const search_options& options) {
  std::string command = "act-search";
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_single_name();
    if (option->count() == 0 || name == "layers" || name == "out" || name == "state" || name == "json")
      continue;
    if (option->get_expected_max() == 0) command += " --" + name;
    for (const std::string& value :
         option->get_expected_max() == 0 ? std::vector<std::string>{} : option->results()) {
      command += " --" + name + " " + quoted(value);
    }
  }
  const std::filesystem::path out(options.out);
  const std::string beside = (out.parent_path() / (out.stem().string() + "-all-layers")).string();
  return command + " --state " + quoted(beside + ".state") + " --out " + quoted(beside + ".json");
}

void run(const CLI::App& app, const search_options& options) {
  const act::report::provenance_clock clock;
  act::set_thread_count(options.common.threads);
  const auto objective = options.objective == "accuracy" ? act::search::search_objective::accuracy
                                                         : act::search::search_objective::likelihood;
  const act::search::selection_rule rule = act::search::parse_selection(options.select, objective);
  act::search::search_plan plan;
  const act::tasks::named_calibration calibration = options.calibration.over(std::nullopt);
  plan.options = calibration.options;
  plan.subset = calibration.subset;
  const std::vector<task_file> tasks = parse_tasks(options.tasks);
  if (plan.subset) {
    for (const task_file& each : tasks)
      act::tasks::check_part(*each.task, *plan.subset);
  }
  std::vector<std::string> inputs{options.common.model};
  for (const task_file& each : tasks) {
    if (std::count(inputs.begin(), inputs.end(), each.file) > 0) {
      throw act::error(act::error_code::invalid_option, "--task", "names '" + each.file + "' twice");
    }
    inputs.push_back(each.file);
  }
  check_outputs({{"--out", options.out}, {"--json", options.common.json}, {"--state", options.state}},
                inputs);
  std::vector<chosen_samples> chosen;
  for (const task_file& each : tasks) {
    chosen.push_back(choose(each, options));
    chosen.back().source.scoring = options.scoring.name_for(*each.task);
  }

  const act::runtime::loaded_model loaded = act::runtime::load_model(options.common.model);
  const act::runtime::model_config& config = loaded.model.config;
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  plan.fingerprint = identity.fingerprint;
  plan.range = act::search::parse_layer_range(options.layers, config.layers);
  act::tasks::asking how_asked{.scoring = options.scoring.rule(), .subset = plan.subset};
  std::optional<act::tasks::tokens_by_text> vocabulary;
  if (how_asked.scoring == act::tasks::scoring_rule::greedy)
    how_asked.vocabulary = &vocabulary.emplace(*loaded.tokenizer);
  passed_over passed;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    act::tasks::prepared_samples prepared =
        act::tasks::prepare(*tasks[i].task, chosen[i].samples, *loaded.tokenizer, config.context,
                            options.scoring.policy(), tasks[i].file, how_asked);
    passed.too_long += prepared.skipped;
    passed.truncated += prepared.truncated;
    plan.sources.push_back(chosen[i].source);
    plan.samples.insert(plan.samples.end(), prepared.samples.begin(), prepared.samples.end());
  }
  if (plan.samples.empty()) {
    throw act::error(act::error_code::invalid_input, tasks.front().file,
                     "no prompt fits the model's context");
  }

  act::search::search_state state(options.state.empty() ? ":memory:" : options.state, plan.identity());
  const act::search::search_work before = state.total_work();
  const std::size_t trials = plan.samples.size() * plan.range.count() * config.heads;
  const auto start = std::chrono::steady_clock::now();
  act::search::search_outcome outcome;
  try {
    constexpr std::size_t steps = 1000;
    act::report::progress progress("searching", steps, options.common.quiet);
    outcome = act::search::run_exact_search(loaded.model, plan, state, [&](double part) {
      const auto reached = static_cast<std::size_t>(part * static_cast<double>(steps));
      if (reached > progress.done()) progress.advance(reached - progress.done());
      stop_if_interrupted();
    });
  } catch (const interrupted&) {
    if (options.state.empty()) throw;
    throw interrupted("the same command goes on from " + options.state);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const std::vector<act::search::head_evidence> selected = act::search::select_heads(outcome.evidence, rule);
  const act::report::selection_record how{.select = options.select, .objective = options.objective};
  act::search::write_heads_file(options.out,
                                act::report::heads_file_of(identity, plan, outcome, selected, how));
  if (!options.common.json.empty()) {
    nlohmann::ordered_json document = act::report::to_json(plan, outcome, selected, how);
    document["options"] = act::search::to_json(plan.options, plan.subset);
    document["model"] = act::runtime::to_json(identity);
    write_result(options.common.json, std::move(document), app, clock);
  }

  const act::search::search_work& work = outcome.work;
  const double whole = static_cast<double>(work.layer_rows_computed + work.layer_rows_avoided);
  std::cout << "searched " << plan.range.count() * config.heads << " heads of layers " << plan.range.first
            << ".." << plan.range.last << " on " << outcome.samples << " samples in "
            << act::report::format_duration(seconds) << '\n'
            << "plain accuracy "
            << act::report::detail::percent(static_cast<double>(outcome.plain_correct) /
                                            static_cast<double>(outcome.samples))
            << " (95 % interval "
            << act::report::detail::percent_range(
                   act::statistics::wilson_interval(outcome.plain_correct, outcome.samples))
            << ")\n"
            << trials << " trials, " << work.trials_without_sinks << " of them without a sink; computed "
            << act::report::detail::formatted("%.1f %%",
                                              100 * static_cast<double>(work.layer_rows_computed) / whole)
            << " of the layer-rows that a whole pass for each would take\n";
  std::cout << passed.remarks();
  if (selected.empty()) {
    std::cout << "\nNo head helps on these samples; " << options.out << " names none.\n";
  } else {
    std::cout << '\n'
              << selected.size() << " heads picked (" << options.select << ", by " << options.objective
              << "), written to " << options.out << "\n\n"
              << act::report::selection_table(selected, outcome.samples);
  }

  const act::search::layer_range full =
      act::search::parse_layer_range(act::search::default_layer_range, config.layers);
  const double computed = static_cast<double>(work.layer_rows_computed - before.layer_rows_computed);
  const auto rows = act::report::estimated_rows(plan, work, config, full);
  if (!options.common.quiet && plan.range != full && rows && computed > 0) {
    std::cout << "\nA search of all layers (" << act::search::default_layer_range << ") takes about "
              << act::report::format_duration(*rows * seconds / computed) << ":\n  "
              << full_range_command(app, options) << '\n';
  }
}

}  // namespace

int act_search(int count, char** arguments) {
  CLI::App app{"Finds the attention heads whose calibration helps, on held-out samples.", "act-search"};
  search_options options;
  declare(app, options);
  return main_of(app, count, arguments, [&] { run(app, options); });
}
