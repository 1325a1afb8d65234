// A suite's results in the layout of the paper's tables, in every format.
#include <doctest/doctest.h>
#include <act/suite/suite_tables.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using act::suite::suite_result;
using act::suite::way_result;

way_result way(const std::string& method, double accuracy, double plain) {
  way_result made{.method = method};
  made.summary.accuracy = accuracy;
  made.summary.ci95 = {.lo = accuracy - 0.1, .hi = accuracy + 0.1};
  if (method != "plain") made.difference.emplace().accuracy = accuracy - plain;
  return made;
}

suite_result result(const std::string& model, const std::string& task, const std::string& kind,
                    std::vector<way_result> ways) {
  suite_result made;
  made.model = model;
  made.task = made.task_of = task;
  made.kind = kind;
  made.n = made.wanted = 8;
  made.ways = std::move(ways);
  return made;
}

// Two models, two classification tasks, MMLU and SQuAD.
act::suite::suite_results example() {
  act::suite::suite_results all;
  for (const char* model : {"A", "B_1"}) {
    all.results.push_back(result(model, "sst2", "classification",
                                 {way("plain", 0.5, 0), way("batch", 0.5625, 0.5), way("ACT", 0.625, 0.5)}));
    all.results.push_back(result(model, "trec", "classification",
                                 {way("plain", 0.25, 0), way("batch", 0.25, 0.25), way("ACT", 0.125, 0.25)}));
    all.results.push_back(
        result(model, "mmlu", "multiple-choice", {way("plain", 0.25, 0), way("ACT", 0.2625, 0.25)}));
    suite_result squad =
        result(model, "squad", "generated", {way_result{.method = "plain"}, way_result{.method = "ACT"}});
    const auto set = [](act::tasks::answer_means& of, double exact_match, double f1) {
      of.n = 8;
      of.exact_match = exact_match;
      of.f1 = f1;
    };
    set(squad.ways[0].answers.all, 0.125, 0.25);
    set(squad.ways[1].answers.all, 0.25, 0.225);
    act::tasks::answers_difference& less = squad.ways[1].answers_difference.emplace();
    less.exact_match = 0.125;
    less.f1 = -0.025;
    all.results.push_back(std::move(squad));
  }
  all.results.back().n = 5;
  return all;
}

}  // namespace

TEST_CASE("tables 3, 4 and 5 as the paper has them, with the baselines' rows") {
  const std::vector<act::suite::result_table> tables = act::suite::paper_tables(example());
  REQUIRE(tables.size() == 3);
  using row = std::vector<std::string>;
  CHECK(tables[0].title.starts_with("Table 3"));
  CHECK(tables[0].header == row{"Setting", "Method", "A", "B_1", "Average"});
  REQUIRE(tables[0].rows.size() == 3);
  CHECK(tables[0].rows[1] == row{"0-shot", "ACT", "26.25", "26.25", "26.25"});
  CHECK(tables[0].rows[2] == row{"0-shot", "Improv.", "+1.25", "+1.25", "+1.25"});

  CHECK(tables[1].title.starts_with("Table 4"));
  CHECK(tables[1].header == row{"Model", "Setting", "Method", "sst2", "trec", "Avg."});
  REQUIRE(tables[1].rows.size() == 8);
  CHECK(tables[1].rows[0] == row{"A", "0-shot", "Vanilla", "50.00", "25.00", "37.50"});
  CHECK(tables[1].rows[1] == row{"A", "0-shot", "batch", "56.25", "25.00", "40.62"});
  CHECK(tables[1].rows[2] == row{"A", "0-shot", "ACT", "62.50", "12.50", "37.50"});
  CHECK(tables[1].rows[3] == row{"A", "0-shot", "Improv.", "+12.50", "-12.50", "+0.00"});

  CHECK(tables[2].title.starts_with("Table 5"));
  CHECK(tables[2].rows[1] == row{"A", "0-shot", "ACT", "25.00/22.50"});
  CHECK(tables[2].rows[2] == row{"A", "0-shot", "Improv.", "+12.50/-2.50"});
}

TEST_CASE("a task that a model lacks leaves its cell and the average empty") {
  act::suite::suite_results all = example();
  all.results.erase(all.results.begin() + 1);  // A's trec
  all.results[0].ways.pop_back();              // and its sst2 has no ACT any more
  const auto table = act::suite::paper_tables(all)[1];
  REQUIRE(table.rows.size() == 6);
  CHECK(table.rows[0] == std::vector<std::string>{"A", "0-shot", "Vanilla", "50.00", "", "50.00"});
}

TEST_CASE("every way with its interval, and what isn't whole yet") {
  const auto table = act::suite::ways_table(example());
  REQUIRE(table.rows.size() == 16);
  CHECK(table.rows[2][3] == "ACT");
  CHECK(table.rows[2][6] == "62.5");
  CHECK(table.rows[2][7] == "52.5 .. 72.5");
  CHECK(table.rows[2][8] == "+12.5");
  CHECK(act::suite::answers_table(example()).rows.size() == 4);
  CHECK(act::suite::unfinished(example()) ==
        std::vector<std::string>{"B_1, squad, 0-shot: 5 of 8 samples so far; run the suite again to go on"});
}

TEST_CASE("Markdown, LaTeX and CSV keep names with their own characters whole") {
  const act::suite::result_table table{.title = "50 % of a|b",
                                       .header = {"m_1", "x"},
                                       .names = 1,
                                       .rows = {{"a|b & c", "1.00"}, {"$", "2.00"}}};
  CHECK(act::suite::as_markdown(table) ==
        "**50 % of a\\|b**\n\n| m\\_1 | x |\n|---|---:|\n| a\\|b & c | 1.00 |\n| $ | 2.00 |\n");
  CHECK(act::suite::as_latex(table) ==
        "\\begin{table}[t]\n\\centering\n\\caption{50 \\% of a|b}\n\\begin{tabular}{lr}\n\\toprule\nm\\_1 & "
        "x \\\\\n"
        "\\midrule\na|b \\& c & 1.00 \\\\\n\\$ & 2.00 \\\\\n\\bottomrule\n\\end{tabular}\n\\end{table}\n");
  act::suite::suite_results all = example();
  all.results.front().model = "A, \"chat\"";
  const std::string csv = act::suite::as_csv(all);
  CHECK(csv.find("\"A, \"\"chat\"\"\",sst2,classification,0,1,8,8,plain,,0,0,0.5,0.40") != std::string::npos);
  // As many fields in each line.
  std::vector<long> commas;
  bool quoted = false;
  commas.push_back(0);
  for (const char c : csv) {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) ++commas.back();
    if (c == '\n') commas.push_back(0);
  }
  commas.pop_back();
  CHECK(commas.size() == 21);
  CHECK(std::all_of(commas.begin(), commas.end(), [&](long count) { return count == commas.front(); }));
}
