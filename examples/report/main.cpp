// act-report: a store of results as tables, for people and papers, as one page and as drawings; of a heads
// file what each head alone does.
#include <act/error.hpp>
#include <act/io/atomic_file.hpp>
#include <act/io/json_document.hpp>
#include <act/report/pages/drawing.hpp>
#include <act/search/heads_file.hpp>
#include <act/suite/results.hpp>
#include <act/suite/store.hpp>
#include <act/suite/suite_drawings.hpp>
#include <act/suite/suite_page.hpp>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "programs/begin.hpp"
#include "programs/command_line.hpp"
#include "programs/files.hpp"
#include "programs/program.hpp"

namespace {

using namespace act_program;

struct report_options {
  common_options common;
  std::string store, suite, ablation, markdown, latex, csv, html, svg;
  std::string title = "Attention calibration: results";
};

void declare(command_line& line, report_options& options) {
  line.add("store", options.store, "What act-eval SUITE.toml stored, or heads that act-search found")
      .required()
      .value_name("STORE|HEADS.json");
  line.add("--suite", options.suite,
           "Of the suites in the store show this one (default: the one that ran last)")
      .value_name("SUITE.toml");
  line.add("--ablation", options.ablation, "Of its ablations this one (default: the one that ran last)")
      .value_name("NAME");
  line.add("--markdown", options.markdown, "Write the tables as Markdown").value_name("FILE");
  line.add("--latex", options.latex, "Write the tables as LaTeX, for the package booktabs")
      .value_name("FILE");
  line.add("--csv", options.csv, "Write every number as CSV, a line a way of scoring").value_name("FILE");
  line.add("--html", options.html, "Write one page with tables and pictures, that loads nothing")
      .value_name("FILE");
  line.add("--svg", options.svg, "Write the pictures into this folder, for papers").value_name("FOLDER");
  line.add("--title", options.title, "What stands above the page").value_name("TEXT").show_default();
  line.add("--json", options.common.json,
           "Write the results as JSON; -: to standard output, and what is printed for people to stderr")
      .value_name("FILE");
  line.footer(
      "Examples:\n"
      "  act-report results.sqlite\n"
      "  act-report results.sqlite --markdown tables.md --latex tables.tex --csv results.csv\n"
      "  act-report results.sqlite --html report.html --title 'SmolLM2 on twelve tasks'\n"
      "  act-report results.sqlite --suite suite.toml\n"
      "  act-report results.sqlite --svg figures\n"
      "  act-report heads.json --svg figures --html heads.html\n"
      "Exit codes: 0 done, 1 bad input, 2 wrong usage.");
}

// The one that ran last, of those that are asked for.
act::suite::stored_suite chosen(const std::vector<act::suite::stored_suite>& suites,
                                const report_options& options) {
  std::filesystem::path path(options.suite);
  if (!path.empty()) path = std::filesystem::absolute(path).lexically_normal();
  const auto at = std::find_if(suites.begin(), suites.end(), [&](const act::suite::stored_suite& each) {
    return (path.empty() || each.path == path) &&
           (options.ablation.empty() || each.ablation == options.ablation);
  });
  if (at != suites.end()) return *at;
  if (suites.empty())
    throw act::error(act::error_code::invalid_input, options.store, "has no suite yet; run one first");
  std::string all;
  for (const act::suite::stored_suite& each : suites)
    all += (all.empty() ? "" : "; ") + each.name();
  throw act::error(act::error_code::invalid_input, options.store, "has no such suite; it has " + all);
}

std::string joined(const act::suite::suite_results& results,
                   const std::function<std::string(const act::suite::result_table&)>& as) {
  std::string text;
  std::vector<act::suite::result_table> tables = act::suite::paper_tables(results);
  tables.push_back(act::suite::ways_table(results));
  tables.push_back(act::suite::answers_table(results));
  for (const act::suite::result_table& table : tables) {
    if (!table.rows.empty()) text += (text.empty() ? "" : "\n") + as(table);
  }
  return text;
}

// A name that any system takes: other bytes become '-'.
std::string file_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::string_view(" /\\:*?\"<>|,+").find(c) != std::string_view::npos || c < ' '; },
      '-');
  return name;
}

void write_drawings(const act::suite::suite_results& results, const std::string& folder) {
  if (folder.empty()) return;
  const auto write = [&](const std::string& name, const act::report::drawing& drawn) {
    act::io::write_file((std::filesystem::path(folder) / (file_name(name) + ".svg")).string(), drawn.file());
  };
  for (const act::suite::suite_result& each : results.results) {
    write("accuracy-" + each.model + "-" + each.task + "-" + std::to_string(each.shots),
          act::suite::accuracy_drawing(each));
  }
  for (const act::suite::searched_heads& each : results.searches) {
    if (each.trials.empty()) continue;
    write("gains-" + (each.model.empty() ? "" : each.model + "-") + act::suite::name_of(each),
          act::suite::gains_drawing(each));
  }
}

// A heads file is JSON, a store SQLite.
bool is_json(const std::string& path) {
  std::ifstream in(path);
  char first = 0;
  return in >> first && first == '{';
}

// What each head of a heads file does alone: the paper's Figure 3.
void run_heads(const command_line& line, const report_options& options) {
  for (const char* const of_stores : {"--suite", "--ablation", "--markdown", "--latex", "--csv", "--json"}) {
    if (line.given(of_stores)) {
      throw act::error(act::error_code::invalid_option, of_stores,
                       "is for a store of results; of a heads file there are --html and --svg");
    }
  }
  act::suite::suite_results results;
  results.searches.push_back(
      act::suite::searched_heads_of(act::search::read_heads_file(options.store), "",
                                    std::filesystem::path(options.store).filename().string(), ""));
  const act::suite::searched_heads& search = results.searches.front();
  if (search.trials.empty()) {
    throw act::error(act::error_code::invalid_input, options.store,
                     "says nothing of heads that were tried; act-search writes that");
  }
  write_drawings(results, options.svg);
  if (!options.html.empty()) {
    act::io::write_file(
        options.html,
        act::suite::suite_page(results, line.given("--title") ? options.title : "Heads of " + search.name));
  }
  std::cout << act::suite::gains_text(search) << act::suite::gains_remark(search) << '\n';
}

void run(const command_line& line, const report_options& options) {
  check_outputs({{"--markdown", options.markdown},
                 {"--latex", options.latex},
                 {"--csv", options.csv},
                 {"--html", options.html},
                 {"--json", options.common.json}},
                {options.store});
  make_folder(options.svg, "--svg");
  if (is_json(options.store)) {
    run_heads(line, options);
    return;
  }
  act::suite::store store = act::suite::store::existing(options.store);
  const std::vector<act::suite::stored_suite> suites = store.suites();
  const act::suite::stored_suite shown = chosen(suites, options);
  const act::suite::suite_results results = act::suite::results_of(store, shown.id);
  if (results.results.empty())
    throw act::error(act::error_code::invalid_input, options.store, "has no scores yet; run its suite first");
  const auto write = [](const std::string& path, const auto& text) {
    if (!path.empty()) act::io::write_file(path, text());
  };
  write(options.markdown, [&] { return joined(results, act::suite::as_markdown); });
  write(options.latex, [&] { return joined(results, act::suite::as_latex); });
  write(options.csv, [&] { return act::suite::as_csv(results); });
  write(options.html, [&] { return act::suite::suite_page(results, options.title); });
  write(options.common.json, [&] { return act::suite::to_json(results).pretty() + "\n"; });
  write_drawings(results, options.svg);
  std::cout << joined(results, act::suite::as_text);
  for (const std::string& each : act::suite::unfinished(results))
    std::cout << each << '\n';
  if (suites.size() == 1) return;
  std::cout << "this is " << shown.name() << "; --suite and --ablation show others of the store:\n";
  for (const act::suite::stored_suite& each : suites) {
    if (each.id != shown.id) std::cout << "  " << each.name() << '\n';
  }
}

}  // namespace

int main(int count, char** arguments) {
  begin_program(arguments);
  command_line line("Results of a suite as tables, for people and papers, and as one page.", "act-report");
  report_options options;
  declare(line, options);
  return run_program(line, options.common, count, arguments, [&] { run(line, options); });
}
