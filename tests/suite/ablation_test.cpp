// Ablations: which suites they make of one, and their tables.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/suite/ablation.hpp>
#include <act/suite/suite_file.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "temporary_folder.hpp"

namespace {

using act::suite::ablated;
using act::suite::ablated_suite;
using act::suite::ablation_setting;

// Two entries, one of them with a search; a task of each kind.
act::suite::suite example() {
  const act_test::temporary_folder folder;
  for (const char* name : {"m.gguf", "dev.tsv", "test.jsonl", "squad.json", "heads.json"})
    (void)folder.write(name, "x");
  return act::suite::parse_suite(R"(store = "results.sqlite"
seed = 3
baselines = ["batch", "bias"]
[defaults]
labelled = 20
[[model]]
path = "m.gguf"
[[task]]
task = "sst2"
data = "dev.tsv"
[[task]]
task = "arce"
data = "test.jsonl"
[[task]]
task = "squad"
data = "squad.json"
[[heads]]
name = "given"
file = "heads.json"
share = 50
[[heads]]
name = "found"
tasks = ["sst2", "arce"]
[heads.search]
select = "top:3"
samples = 15
)",
                                 folder / "suite.toml");
}

std::vector<std::string> settings_of(const ablated_suite& of, const std::string& base) {
  std::vector<std::string> all;
  for (const ablation_setting& each : of.settings) {
    if (each.base == base) all.push_back(each.setting);
  }
  return all;
}

const act::suite::suite_heads& entry(const ablated_suite& of, const std::string& name) {
  const auto at = std::find_if(of.made.heads.begin(), of.made.heads.end(),
                               [&](const act::suite::suite_heads& each) { return each.name == name; });
  REQUIRE(at != of.made.heads.end());
  return *at;
}

using list = std::vector<std::string>;

}  // namespace

TEST_CASE("an ablation is a suite whose heads are in settings that differ in one thing") {
  const act::suite::suite from = example();
  CHECK(from.heads[0].share == 0.5);
  CHECK(from.heads[1].search->samples == 15);

  const ablated_suite beta = ablated(from, "beta");
  CHECK(beta.of.paper == "Table 9");
  CHECK(beta.made.store.ends_with("results-ablations.sqlite"));
  CHECK(!beta.made.baselines.batch);
  CHECK(!beta.made.baselines.bias);
  CHECK(beta.made.tasks.size() == 3);
  CHECK(settings_of(beta, "given") == list{"as given", "beta 0.7", "beta 0.5", "beta 0.3", "beta 0.1"});
  CHECK(settings_of(beta, "found").size() == 5);
  CHECK(entry(beta, "given").varied.text() == "{}");
  CHECK(entry(beta, "given (beta 0.7)").varied.text() == R"({"beta":0.7})");
  // A search's heads are those that its own options find.
  CHECK(entry(beta, "found (beta 0.7)").options.text() == "{}");
  CHECK(entry(beta, "found (beta 0.7)").search->select == "top:3");

  CHECK(settings_of(ablated(from, "alpha"), "given") == list{"as given", "alpha 3", "alpha 7"});
  const ablated_suite method = ablated(from, "method");
  CHECK(settings_of(method, "given") == list{"as given", "temperature", "inverse-temperature", "inverse"});
  CHECK(entry(method, "given (inverse)").tasks == list{"sst2", "arce"});  // decoding has no such form
  const ablated_suite redistribution = ablated(from, "redistribution");
  CHECK(entry(redistribution, "given (question only)").tasks == list{"sst2", "arce"});
  CHECK(entry(redistribution, "given (choices only)").tasks == list{"arce"});
  const ablated_suite share = ablated(from, "share");
  CHECK(entry(share, "given (40 %)").share == doctest::Approx(0.2));
  CHECK(entry(share, "found (40 %)").share == doctest::Approx(0.4));
  CHECK(settings_of(ablated(from, "rule"), "given") ==
        list{"as given", "absolute, tau 0.1", "absolute, tau 0.15", "baseline-corrected"});
  CHECK(entry(ablated(from, "min-visible-rows"), "given (10 rows)").varied.text() ==
        R"({"min_visible_rows":10})");
}

TEST_CASE("ablations of searches and of decoding take what has one") {
  const act::suite::suite from = example();
  const ablated_suite samples = ablated(from, "search-samples");
  CHECK(settings_of(samples, "given").empty());
  CHECK(settings_of(samples, "found") ==
        list{"as given", "10 of 20 a task", "5 of 20 a task", "2 of 20 a task"});
  CHECK(entry(samples, "found (5 of 20)").search->samples == 5);
  const ablated_suite transfer = ablated(from, "transfer");
  CHECK(settings_of(transfer, "found") == list{"found on sst2", "found on arce"});
  CHECK(entry(transfer, "found (found on arce)").search->tasks == list{"arce"});
  CHECK(entry(transfer, "found (found on arce)").tasks == list{"sst2", "arce"});
  const ablated_suite decoding = ablated(from, "decoding");
  CHECK(settings_of(decoding, "given") == list{"as given", "prompt alone"});
  CHECK(settings_of(decoding, "found").empty());
  CHECK(!entry(decoding, "given (prompt alone)").decoding);
  CHECK(entry(decoding, "given (prompt alone)").tasks == list{"squad"});
  const ablated_suite sinks = ablated(from, "generated-sinks");
  CHECK(settings_of(sinks, "given") == list{"as given", "the prompt's sinks"});
  CHECK(!entry(sinks, "given (the prompt's sinks)").generated_sinks);
  CHECK(entry(sinks, "given (the prompt's sinks)").decoding);
}

TEST_CASE("heads of different models that go by one name are one row") {
  act::suite::suite from = example();
  from.models.push_back(from.models[0]);
  from.models[1].name = "other";
  from.heads.pop_back();
  from.heads.push_back(from.heads[0]);
  from.heads[0].models = {"m"};
  from.heads[1].models = {"other"};
  const ablated_suite beta = ablated(from, "beta");
  CHECK(beta.settings.size() == 5);
  CHECK(beta.made.heads.size() == 10);
}

TEST_CASE("an ablation runs its own tasks alone") {
  act::suite::suite from = example();
  from.heads.pop_back();
  const ablated_suite decoding = ablated(from, "decoding");
  REQUIRE(decoding.made.tasks.size() == 1);
  CHECK(decoding.made.tasks[0].name == "squad");
  CHECK(decoding.made.ablation == "decoding");
}

TEST_CASE("what has no ablation is refused in one line") {
  act::suite::suite from = example();
  const auto says = [&](const char* name) {
    return act_test::message_of([&] { (void)ablated(from, name); });
  };
  CHECK(says("betta") == "--ablation: has no 'betta'; did you mean 'beta'?");
  from.heads.pop_back();
  CHECK(act_test::contains(says("transfer"), "no [heads.search]"));
  CHECK(act_test::contains(says("search-samples"), "no [heads.search]"));
  from.tasks.pop_back();
  CHECK(act_test::contains(says("decoding"), "no task whose answers are generated"));
  from.heads.clear();
  CHECK(act_test::contains(says("beta"), "no [[heads]]"));
  // Every one is listed with its table.
  const std::string listed = act::suite::listed_ablations();
  CHECK(static_cast<std::size_t>(std::count(listed.begin(), listed.end(), '\n')) ==
        act::suite::all_ablations().size());
  for (const act::suite::ablation& each : act::suite::all_ablations())
    CHECK(act_test::contains(listed, std::string(each.name)));
  CHECK(act_test::contains(listed, "Table 11"));
}

TEST_CASE("an ablation's table: accuracies, averages and what all tasks together say of the difference") {
  const ablated_suite beta = ablated(example(), "beta");
  const auto way = [](const std::string& method, double accuracy, double difference, double half) {
    act::suite::way_result made{.method = method, .heads = method == "plain" ? std::size_t{0} : 4};
    made.summary.accuracy = accuracy;
    made.summary.auc = accuracy / 2 + 0.4;
    if (method == "plain") return made;
    act::tasks::accuracy_difference less_plain;
    less_plain.accuracy = difference;
    less_plain.ci95 = {difference - half, difference + half};
    less_plain.auc = difference / 2;
    less_plain.auc_ci95 = act::statistics::interval{0, difference};
    made.difference = less_plain;
    return made;
  };
  act::suite::suite_results results;
  results.results.push_back({.model = "m",
                             .task = "sst2",
                             .kind = "classification",
                             .task_of = "sst2",
                             .n = 10,
                             .wanted = 10,
                             .ways = {way("plain", 0.5, 0, 0), way("given", 0.6, 0.1, 0.3),
                                      way("given (beta 0.7)", 0.55, 0.05, 0.03)}});
  results.results.push_back({.model = "m",
                             .task = "arce",
                             .kind = "multiple-choice",
                             .task_of = "arce",
                             .n = 10,
                             .wanted = 10,
                             .ways = {way("plain", 0.3, 0, 0), way("given", 0.4, 0.1, 0.4),
                                      way("given (beta 0.5)", 0.2, -0.1, 0.1)}});
  const act::suite::result_table table = ablation_table(beta, results);
  CHECK(table.title == "Table 9. beta: what a sink keeps of its weight");
  CHECK(table.header == list{"Model", "Heads", "Setting", "sst2", "arce", "Avg.", "- plain", "95 % interval",
                             "AUC", "- plain", "95 % interval"});
  REQUIRE(table.rows.size() == 4);  // settings without a score are left out
  CHECK(table.rows[0] == list{"m", "", "Vanilla", "50.00", "30.00", "40.00", "", "", "0.600", "", ""});
  // The root of 0.3^2 + 0.4^2, over 2 tasks: 25 points.
  CHECK(table.rows[1] == list{"m", "given", "as given", "60.00", "40.00", "50.00", "+10.00",
                              "-15.00 .. +35.00", "0.650", "+0.050", "+0.015 .. +0.085"});
  CHECK(table.rows[2][2] == "beta 0.7");
  CHECK(table.rows[2][4] == "");
  CHECK(table.rows[2][5] == "");  // of another row's tasks an average says nothing
  CHECK(table.rows[2][6] == "+5.00");
  CHECK(table.rows[3][7] == "-20.00 .. +0.00");
  CHECK(ablation_answers_table(beta, results).rows.empty());
}
