#include "eval/suite.hpp"

#include <act/error.hpp>
#include <act/io/json_document.hpp>
#include <act/parallel.hpp>
#include <act/report/progress.hpp>
#include <act/report/provenance.hpp>
#include <act/report/search_progress.hpp>
#include <act/report/table.hpp>
#include <act/suite/ablation.hpp>
#include <act/suite/results.hpp>
#include <act/suite/run_suite.hpp>
#include <act/suite/store.hpp>
#include <act/suite/suite_file.hpp>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "programs/build_record.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/program.hpp"

namespace act_program {

namespace {

struct suite_options {
  common_options common;
  std::string suite;
  std::string store, ablation;
  bool dry_run = false;
};

void declare(command_line& line, suite_options& options) {
  line.add("suite", options.suite, "What to run: models, tasks, heads and baselines (docs/suite.md)")
      .required()
      .value_name("SUITE.toml");
  line.add("--store", options.store, "Where results go, and are gone on from; default: as the suite says")
      .value_name("FILE");
  line.add("--ablation", options.ablation,
           "Run the suite's heads in settings that differ in one thing instead; default store: the suite's "
           "with -ablations in its name")
      .value_name("NAME");
  line.add_listing("--list-ablations", "Show the ablations there are, with the paper's tables",
                   act::suite::listed_ablations);
  line.add_flag("--dry-run", options.dry_run,
                "Read and check everything and say what would be run; run nothing");
  options.common.add_running_to(line);
  line.footer(
      "The same command goes on where an earlier one was stopped. act-report shows what is in the store.\n"
      "Examples:\n"
      "  act-eval suite.toml --dry-run\n"
      "  act-eval suite.toml --threads 2\n"
      "  act-eval suite.toml --store results.sqlite --progress-every 60\n"
      "  act-eval suite.toml --ablation beta\n"
      "  act-eval --list-ablations\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.");
}

std::string plan_text(const std::vector<act::suite::planned_cell>& plan) {
  act::report::text_table table(
      {"model", "task", "shots", "seed", "samples", "labelled", "stored", "of", "ways"});
  std::size_t known = 0, wanted = 0;
  for (const act::suite::planned_cell& each : plan) {
    std::string ways;
    for (const std::string& way : each.ways) {
      const bool searched =
          std::find(each.to_search.begin(), each.to_search.end(), way) != each.to_search.end();
      ways += (ways.empty() ? "" : ", ") + way + (searched ? " (searched first)" : "");
    }
    table.add({each.model, each.task, std::to_string(each.shots), std::to_string(each.shot_seed),
               std::to_string(each.samples), std::to_string(each.labelled), std::to_string(each.known),
               std::to_string(each.wanted), ways});
    known += each.known;
    wanted += each.wanted;
  }
  return table.str() + std::to_string(wanted - known) + " of " + std::to_string(wanted) +
         " scores (a sample in one way each) are to be computed\n";
}

// Shows how far a suite is: one progress a cell, and one a search.
class suite_progress {
 public:
  explicit suite_progress(bool quiet) : quiet_(quiet) {}

  [[nodiscard]] act::suite::suite_listener listener() {
    return {.cell_begins =
                [this](const std::string& name, std::size_t samples, std::size_t known) {
                  searched_.reset();
                  shown_.reset();
                  if (known < samples)
                    shown_ = std::make_unique<act::report::progress>(name, samples, quiet_, known);
                },
            .advanced =
                [this](std::size_t samples) {
                  if (shown_) shown_->advance(samples);
                  stop_if_interrupted();
                },
            .token_made = [] { stop_if_interrupted(); },
            .cell_ends = [this] { shown_.reset(); },
            .search_begins =
                [this](const std::string& name) {
                  shown_ = std::make_unique<act::report::progress>("searching " + name, 0, quiet_);
                  searched_.emplace();
                },
            .searching =
                [this](const act::search::search_advance& at) {
                  if (shown_ && searched_)
                    shown_->show([&](double seconds) { return searched_->at(at, seconds); });
                  stop_if_interrupted();
                },
            .remark =
                [this](const std::string& text) {
                  if (!quiet_) std::cerr << "act-eval: " << text << '\n';
                }};
  }

 private:
  bool quiet_;
  std::unique_ptr<act::report::progress> shown_;
  std::optional<act::report::search_progress_line> searched_;
};

void print(const act::suite::suite_results& results,
           const std::optional<act::suite::ablated_suite>& ablated) {
  for (const act::suite::result_table& table :
       ablated ? std::vector{act::suite::ablation_table(*ablated, results),
                             act::suite::ablation_answers_table(*ablated, results)}
               : act::suite::paper_tables(results)) {
    if (!table.rows.empty()) std::cout << act::suite::as_text(table) << '\n';
  }
  for (const act::suite::result_table& table :
       {act::suite::ways_table(results), act::suite::answers_table(results)}) {
    if (!table.rows.empty()) std::cout << act::suite::as_text(table) << '\n';
  }
  for (const std::string& line : act::suite::unfinished(results))
    std::cout << line << '\n';
}

void run(const suite_options& options) {
  const act::report::provenance_clock clock;
  act::set_thread_count(options.common.threads);
  act::suite::suite suite = act::suite::read_suite(options.suite);
  std::optional<act::suite::ablated_suite> ablated;
  if (!options.ablation.empty()) {
    ablated = act::suite::ablated(suite, options.ablation);
    suite = ablated->made;
  }
  if (!options.store.empty()) suite.store = options.store;
  std::vector<std::string> inputs{options.suite};
  for (const act::suite::suite_model& each : suite.models)
    inputs.push_back(each.path);
  for (const act::suite::suite_task& each : suite.tasks)
    inputs.insert(inputs.end(), {each.data, each.labelled_data, each.shot_data});
  check_outputs({{"--store", suite.store}}, inputs);
  if (options.dry_run) {
    std::error_code failed;
    act::suite::store there(std::filesystem::exists(suite.store, failed) ? suite.store : ":memory:");
    std::cout << plan_text(act::suite::plan_suite(suite, there));
    return;
  }
  act::suite::store results(suite.store);
  const act::report::provenance maker = clock.stamp(built());
  suite_progress progress(options.common.quiet);
  const act::suite::suite_listener listener = progress.listener();
  try {
    act::suite::run_suite(suite, results,
                          {.program = act::report::program_json(maker).text(), .date = maker.date}, listener);
  } catch (const interrupted&) {
    throw interrupted("the same command goes on from " + suite.store);
  }
  print(act::suite::results_of(results, results.suites().front().id), ablated);
  std::cout << "stored in " << suite.store << "; act-report " << suite.store << " shows it again\n";
}

}  // namespace

bool names_a_suite(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    // After an option it is that one's value.
    const bool value = i > 1 && std::string_view(arguments[i - 1]).starts_with("--") &&
                       std::string_view(arguments[i - 1]) != "--dry-run" &&
                       std::string_view(arguments[i - 1]) != "--quiet";
    if ((argument.ends_with(".toml") && !value) || argument == "--list-ablations") return true;
  }
  return false;
}

int evaluate_suite(int count, char** arguments) {
  command_line line("A suite of evaluations: many models, tasks and ways of calibrating into one store.",
                    "act-eval");
  suite_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(options); });
}

}  // namespace act_program
