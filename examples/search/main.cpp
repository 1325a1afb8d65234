// act-search: finds the heads whose calibration helps, on held-out samples.
#include <act/error.hpp>
#include <act/head_set.hpp>
#include <act/io/json_document.hpp>
#include <act/parallel.hpp>
#include <act/report/number_text.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/search_progress.hpp>
#include <act/report/search_report.hpp>
#include <act/report/selection_report.hpp>
#include <act/runtime/fingerprint.hpp>
#include <act/runtime/load_model.hpp>
#include <act/search/block_dealer.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/plan.hpp>
#include <act/search/racing_search.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/search_cost.hpp>
#include <act/search/search_run.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/rule.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/state.hpp>
#include <act/search/stored_trials.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_workers.hpp>
#include <act/statistics/intervals.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/open_model.hpp"
#include "programs/program.hpp"
#include "programs/result_file.hpp"
#include "search/dry_run.hpp"
#include "search/held_out.hpp"
#include "search/options.hpp"
#include "search/pick_heads.hpp"
#include "search/processes/processes.hpp"
#include "search/unibias.hpp"

namespace {

using namespace act_program;

void check_files(const std::vector<task_file>& tasks, const search_options& options) {
  std::vector<std::string> inputs{options.common.model};
  for (const task_file& each : tasks)
    inputs.push_back(each.file);
  inputs.insert(inputs.end(), options.reuse.begin(), options.reuse.end());
  inputs.insert(inputs.end(), options.merge.begin(), options.merge.end());
  check_outputs({{"--out", options.out}, {"--json", options.common.json}, {"--state", options.state}},
                inputs);
}

// Which of the plan's samples other searches have, too.
std::vector<bool> known_elsewhere(const act::search::search_plan& plan,
                                  const std::vector<std::string>& states) {
  std::vector<bool> known(plan.samples.size());
  for (const std::string& path : states) {
    const act::search::stored_trials other(path, plan);
    for (std::size_t i = 0; i < known.size(); ++i)
      known[i] = known[i] || other.knows(i);
  }
  return known;
}

// A search that has ended, and what it took.
struct finished_search {
  act::search::search_outcome outcome;
  act::search::search_work before;  ///< what its state had from earlier runs
  double seconds = 0;
};

// --merge: what other processes' files of the same search have.
void take_over(act::search::search_state& state, const act::search::search_plan& plan, std::size_t heads,
               const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    if (!std::filesystem::exists(path))
      throw act::error(act::error_code::io, path,
                       "isn't there; give --merge the --state files of all shards");
    if (std::filesystem::is_empty(path))
      throw act::error(act::error_code::invalid_input, path,
                       "is empty; give --merge the --state files of all shards");
    act::search::search_state part(path, plan.identity(), "--merge");
    for (const act::search::trial_block& block : act::search::exact_blocks(plan, heads)) {
      const auto samples = std::span(plan.samples).subspan(block.chunk.begin, block.chunk.size());
      if (state.load(block, samples)) continue;
      if (const auto found = part.load(block, samples)) state.save(block, *found);
    }
  }
}

void run_strategy(act::search::search_run& run, const act::search::selection_rule& rule,
                  const search_options& options) {
  const std::size_t places = rule.count_among(run.plan().range.count() * run.heads_a_layer());
  if (options.strategy == "ranked") {
    run_ranked_search(run,
                      {.budget = options.budget, .places = places, .worth = act::search::worth_by(rule)});
  } else if (options.strategy == "racing") {
    run_racing_search(run, {.risk = options.risk,
                            .places = places,
                            .by_answers = act::search::counts_answers(rule, run.plan().sources.size()),
                            .gains = act::search::gains_by(rule)});
  } else {
    const std::vector<act::search::trial_block> all =
        act::search::exact_blocks(run.plan(), run.heads_a_layer());
    const shard_number shard = parse_shard(options);
    const std::vector<act::search::trial_block> mine =
        act::search::shard_of(all, run.layers(), shard.number, shard.count);
    for (const act::search::trial_block& block : all) {
      if (block.trials() > 0 && std::find(mine.begin(), mine.end(), block) == mine.end())
        run.spare(block.layer, block.trials());
    }
    run.run(mine);
  }
}

finished_search search(const act::runtime::model& model, const act::search::search_plan& plan,
                       act::search::search_state& state, const act::search::selection_rule& rule,
                       processes& all, const search_options& options) {
  for (const std::string& path : options.reuse)
    state.also_from({path, plan});
  take_over(state, plan, model.config.heads, options.merge);
  finished_search finished;
  finished.before = state.total_work();
  const auto start = std::chrono::steady_clock::now();
  try {
    act::report::progress progress("searching", 0, options.common.quiet);
    act::report::search_progress_line line;
    const std::unique_ptr<act::search::trial_workers> workers = all.workers(model, plan);
    act::search::search_run run(model.config, plan, state, *workers,
                                [&](const act::search::search_advance& at) {
                                  progress.show([&](double seconds) { return line.at(at, seconds); });
                                  stop_if_interrupted();
                                });
    run_strategy(run, rule, options);
    finished.outcome = std::move(run).finish();
  } catch (const interrupted&) {
    if (options.state.empty()) throw;
    throw interrupted("the same command goes on from " + options.state);
  }
  finished.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return finished;
}

void print_search(const act::search::search_plan& plan, const finished_search& finished, std::size_t heads,
                  const search_options& options) {
  const act::search::search_outcome& outcome = finished.outcome;
  const act::search::search_work& work = outcome.work;
  const auto tried = static_cast<std::size_t>(
      std::count_if(outcome.evidence.begin(), outcome.evidence.end(),
                    [&](const auto& head) { return head.tried == outcome.samples; }));
  // None where all trials come from other searches.
  const double whole = std::max(1.0, static_cast<double>(work.layer_rows_computed + work.layer_rows_avoided));
  std::cout << "searched " << plan.range.count() * heads << " heads of layers " << plan.range.first << ".."
            << plan.range.last
            << (plan.strengths.empty() ? ""
                                       : act::report::formatted(" with each of %.0f strengths",
                                                                static_cast<double>(plan.strengths.size())))
            << " on " << outcome.samples << " samples in " << act::report::format_duration(finished.seconds)
            << '\n'
            << "plain accuracy "
            << act::report::percent(static_cast<double>(outcome.plain_correct) /
                                    static_cast<double>(outcome.samples))
            << " (95 % interval "
            << act::report::percent_range(
                   act::statistics::wilson_interval(outcome.plain_correct, outcome.samples))
            << ")\n"
            << work.trials << " trials, " << work.trials_without_sinks << " of them without a sink; computed "
            << act::report::formatted("%.1f %%", 100 * static_cast<double>(work.layer_rows_computed) / whole)
            << " of the layer-rows that a whole pass for each would take\n";
  if (tried < outcome.evidence.size()) {
    std::cout << tried << (plan.strengths.empty() ? " heads" : " heads and strengths")
              << " were tried on every sample and can be picked, " << outcome.evidence.size() - tried
              << " were stopped before (" << plan.strategy << ")\n";
  }
  const auto estimated = std::count_if(outcome.evidence.begin(), outcome.evidence.end(),
                                       [](const auto& head) { return head.estimated; });
  if (estimated > 0) {
    std::cout << static_cast<std::ptrdiff_t>(outcome.evidence.size()) - estimated
              << (plan.strengths.empty() ? " heads" : " heads and strengths")
              << " were tried exactly, those around the cut; " << estimated << " count by their estimates ("
              << plan.strategy << ")\n";
  } else if (options.strategy == "ranked") {
    std::cout << "every head was tried exactly: estimates would have saved too little\n";
  }
}

void print_heads(const act::search::head_selection& picked, std::size_t samples,
                 const search_options& options) {
  std::cout << '\n' << act::report::choice_text(picked);
  if (picked.heads.empty()) {
    std::cout << "No head helps on these samples; " << options.out << " names none.\n";
  } else {
    std::cout << picked.heads.size() << " heads picked (" << options.select << ", by " << options.objective
              << "), written to " << options.out << "\n\n"
              << act::report::selection_table(picked.heads, samples);
  }
}

// What a search of all layers would take, after one of some of them, and its command.
void suggest_all_layers(const command_line& line, const act::search::search_plan& plan,
                        const finished_search& finished, const act::runtime::model_config& config,
                        const search_options& options) {
  const act::search::search_work& work = finished.outcome.work;
  const std::optional<act::search::layer_range> full = act::search::paper_layer_range(config.layers);
  if (!full) return;
  const double computed = static_cast<double>(work.layer_rows_computed - finished.before.layer_rows_computed);
  const auto rows = act::report::estimated_rows(plan, work, config, *full);
  if (!options.common.quiet && plan.range != *full && rows && computed > 0) {
    std::cout << "\nA search of all layers (" << act::search::default_layer_range << ") takes about "
              << act::report::format_duration(*rows * finished.seconds / computed) << ":\n  "
              << full_range_command(line, options) << '\n';
  }
}

// What a rule needs to be told.
void check_rule(const act::search::selection_rule& rule, const act::search::search_plan& plan,
                const search_options& options) {
  const bool by_mass = rule.method == act::search::selection_method::initial_mass;
  if (options.strategy == "racing" && !by_mass && !rule.judges_heads_alone()) {
    throw act::error(act::error_code::invalid_option, "--strategy",
                     "is 'racing', which stops heads by what each gains on its own; '" + options.select +
                         "' looks at more than that: take exact or ranked, or --select top:K or paper");
  }
  if (!by_mass) return;
  if (!plan.strengths.empty()) {
    throw act::error(act::error_code::invalid_option, "--select",
                     "initial-mass looks at no trial, so it can't choose among strengths; give --beta or "
                     "--factor");
  }
  if (options.strategy != "exact") {
    throw act::error(act::error_code::invalid_option, "--strategy",
                     "is '" + options.strategy +
                         "', which leaves out heads by what they gain; initial-mass goes with exact");
  }
}

void run(const command_line& line, processes& all, const search_options& options) {
  const act::report::provenance_clock clock;
  act::set_thread_count(options.common.threads);
  const bool by_unibias = options.by_unibias();
  if (by_unibias) check_unibias(line, all, options);
  const act::search::selection_rule rule = by_unibias ? act::search::selection_rule{} : options.rule();
  const shard_number shard = parse_shard(options);
  if (options.out.empty() && !options.dry_run && options.shard.empty()) {
    throw act::error(act::error_code::invalid_option, "--out",
                     "is required: the heads file to write (only --dry-run and --shard write none)");
  }
  const std::uint64_t memory =
      options.memory.empty() ? 0 : act::search::parse_bytes(options.memory, "--memory");
  act::search::search_plan plan;
  plan.strategy = strategy_record(options);
  if (line.given("--budget") && options.strategy != "ranked")
    throw act::error(act::error_code::invalid_option, "--budget", "goes with --strategy ranked alone");
  if (line.given("--risk") && options.strategy != "racing")
    throw act::error(act::error_code::invalid_option, "--risk", "goes with --strategy racing alone");
  plan.estimates = options.strategy == "ranked";
  if (options.strategy == "racing") plan.tokens_per_chunk = 512;  // steps small enough to stop between them
  const act::tasks::named_calibration calibration = options.calibration.over(std::nullopt);
  plan.options = calibration.options;
  plan.subset = calibration.subset;
  plan.masks = calibration.masks;
  if (std::vector<double> strengths = options.calibration.strengths(); strengths.size() > 1)
    plan.strengths = std::move(strengths);
  const std::vector<double> betas = betas_to_try(line, options, plan);
  check_rule(rule, plan, options);
  const std::vector<task_file> tasks = parse_tasks(options, calibration);
  check_files(tasks, options);
  const std::vector<chosen_samples> chosen = choose_samples(tasks, options);

  const act::runtime::loaded_model loaded = open_model(line, options.common);
  const act::runtime::model_config& config = loaded.model.config;
  const act::runtime::model_identity identity = act::runtime::identity_of(loaded.model);
  plan.fingerprint = identity.fingerprint;
  plan.range = by_unibias && !line.given("--layers")
                   ? act::search::unibias_layer_range(config.layers)
                   : act::search::parse_layer_range(options.layers, config.layers, "--layers");
  plan.compute = identity.compute;
  const passed_over passed = add_samples(plan, tasks, chosen, loaded, options);
  if (!options.reuse.empty()) plan.put_first(known_elsewhere(plan, options.reuse));

  if (memory > 0) act::search::fit_memory(plan, loaded.model, memory, "--memory");
  if (options.dry_run) {
    if (!all.leads()) return all.serve(loaded.model, plan);
    const act::search::expected_work expected =
        act::search::expect_work(loaded.model, plan, stop_if_interrupted);
    print_expected(plan, loaded.model, expected, options.budget);
    if (!options.state.empty() || !options.reuse.empty() || !options.merge.empty())
      std::cout
          << "That is the whole search: what --state, --reuse or --merge has already isn't taken off.\n";
    std::cout << passed.remarks();
    if (!options.common.json.empty())
      write_result(options.common.json, expected_json(plan, loaded.model, identity, expected, options.budget),
                   line, clock);
    return;
  }

  if (by_unibias) return run_unibias(line, plan, loaded, passed, options);
  if (!all.leads()) {
    all.serve(loaded.model, plan);
    return;
  }
  act::search::search_state state(options.state.empty() ? ":memory:" : options.state, plan.identity(),
                                  "--state");
  const finished_search finished = search(loaded.model, plan, state, rule, all, options);
  if (!options.shard.empty()) {
    std::cout << "shard " << shard.number << " of " << shard.count << " is in " << options.state << " ("
              << act::report::format_duration(finished.seconds)
              << "); --merge finds the heads when all are there\n";
    return;
  }
  const act::search::search_outcome& outcome = finished.outcome;
  const act::search::head_selection picked =
      pick_heads(loaded.model, plan, state, outcome.trials, rule, betas, options);
  const act::report::selection_record how{.select = options.select, .objective = options.objective};
  act::search::write_heads_file(options.out,
                                act::report::heads_file_of(identity, plan, outcome, picked, how));
  if (!options.common.json.empty()) {
    act::io::json_document document = act::report::to_json(plan, outcome, picked, how);
    document.set("options", act::search::to_json(calibration));
    document.set("model", act::runtime::to_json(identity));
    write_result(options.common.json, std::move(document), line, clock);
  }

  print_search(plan, finished, config.heads, options);
  std::cout << passed.remarks();
  print_heads(picked, outcome.samples, options);
  std::cout << act::report::measured_text(picked, options.objective) << act::report::betas_text(picked)
            << act::report::verified_text(picked.verified, plan.sources)
            << act::report::forecast_text(picked.forecast, plan.sources);
  suggest_all_layers(line, plan, finished, config, options);
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  command_line line("Finds the attention heads whose calibration helps, on held-out samples.", "act-search");
  search_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] {
    if (!line.given("--select")) options.choose_default_rule();
    processes all;
    try {
      run(line, all, options);
    } catch (const std::exception& problem) {
      all.failed(problem.what());
      throw;
    }
  });
}
