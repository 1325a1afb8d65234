// act-eval SUITE.toml as a process: a suite into a store, gone on from after kill -9, and the same numbers as
// single runs have.
#include <doctest/doctest.h>
#include <sqlite3.h>
#include <act/sqlite/database.hpp>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

std::string tiny_sst2(int first, int count) {
  std::string text = "sentence\tlabel\n";
  for (int i = first; i < first + count; ++i)
    text += "a road of " + std::to_string(i * i) + (i % 3 == 0 ? " people\t1\n" : " weather\t0\n");
  return text;
}

// A suite of four tasks, with a search and every baseline.
struct suite_files {
  act_test::temporary_folder folder;
  std::string suite = folder / "suite.toml";
  std::string store = folder / "suite.sqlite";
  std::string model = folder.write("M.gguf", act_test::tiny_chat_model());

  suite_files() {
    (void)folder.write("dev.tsv", tiny_sst2(100, 30));
    (void)folder.write("train.tsv", tiny_sst2(0, 24));
    (void)folder.write("own.jsonl", act_test::tiny_jsonl(40));
    (void)folder.write("test.jsonl", act_test::tiny_arce(16));
    const auto data = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tasks" / "data";
    (void)folder.write("squad.json", act_test::read_file(data / "squad.json"));
    (void)folder.write("heads.json", act_test::tiny_heads);
    write_suite("14");
  }

  void write_suite(const std::string& limit) const {
    (void)folder.write(
        "suite.toml",
        "seed = 5\n"
        "baselines = [\"contextual\", \"batch\", \"domain\", \"bias\", \"linear\"]\n"
        "[defaults]\nlimit = " +
            limit +
            "\nlabelled = 20\nlong_prompts = \"truncate-left\"\n"
            "[[model]]\nname = \"tiny\"\npath = \"" +
            std::string("M.gguf") +
            "\"\n"
            "[[task]]\ntask = \"sst2\"\ndata = \"dev.tsv\"\nshots = [0, 2]\nshot_seeds = 2\n"
            "shot_data = \"train.tsv\"\nlabelled_data = \"train.tsv\"\n"
            "[[task]]\ntask = \"jsonl\"\ndata = \"own.jsonl\"\n"
            "[[task]]\ntask = \"arce\"\ndata = \"test.jsonl\"\nlabelled = 0\n"
            "[[task]]\ntask = \"squad\"\ndata = \"squad.json\"\nlimit = 2\nmax_new_tokens = 3\n"
            "[[heads]]\nname = \"given\"\nfile = \"heads.json\"\n"
            "[[heads]]\nname = \"found\"\ntasks = [\"sst2\", \"jsonl\"]\n"
            "[heads.search]\ntasks = [\"sst2\", \"jsonl\"]\nlayers = \"1:2\"\nselect = \"top:3\"\n"
            "[[heads]]\nname = \"uniform\"\ntasks = [\"arce\"]\nfile = \"heads.json\"\n"
            "options = {redistribution = \"subset\", subset = \"choices\"}\n");
  }
};

// All that results are made from, as text.
std::string content_of(const std::string& store) {
  act::sqlite::database data(store);
  std::string text;
  const auto add = [&](const std::string& query, int columns) {
    act::sqlite::statement rows(data, query);
    while (rows.step()) {
      for (int column = 0; column < columns; ++column)
        text += rows.text(column) + "|";
      text += "\n";
    }
  };
  add("SELECT identity, cell, model, task, shots, shot_seed, method, record FROM run ORDER BY id", 8);
  add("SELECT path, ablation, identity FROM suite JOIN member ON member.suite = suite.id JOIN run ON run = "
      "run.id"
      " ORDER BY member.rowid",
      3);
  add("SELECT identity, part, sample, label, hex(scores) FROM score JOIN run ON run = id ORDER BY run, part, "
      "sample",
      5);
  add("SELECT identity, sample, answerable, exact_match, f1, text FROM answer JOIN run ON run = id ORDER BY "
      "run, sample",
      6);
  add("SELECT search, model, name, task, file FROM heads ORDER BY search", 5);
  return text;
}

// Rows of scores and answers so far, while a suite may be writing; 0 where the store can't be read just now.
// Read only: what a killed one left is for the next suite to roll back.
std::int64_t rows_of(const std::string& store) {
  sqlite3* data = nullptr;
  sqlite3_stmt* row = nullptr;
  std::int64_t rows = 0;
  if (sqlite3_open_v2(store.c_str(), &data, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(data, "SELECT (SELECT COUNT(*) FROM score) + (SELECT COUNT(*) FROM answer)", -1,
                         &row, nullptr) == SQLITE_OK &&
      sqlite3_step(row) == SQLITE_ROW)
    rows = sqlite3_column_int64(row, 0);
  sqlite3_finalize(row);
  sqlite3_close(data);
  return rows;
}

}  // namespace

TEST_CASE("a suite that is killed at random moments ends with the same results as one that ran through") {
  const suite_files whole, cut;
  const auto once = run_program("act-eval", {whole.suite, "--threads", "1"});
  CAPTURE(once.err);
  REQUIRE(once.exit_code == 0);
  CHECK(once.err == "");
  const std::string expected = content_of(whole.store);
  const std::int64_t rows = rows_of(whole.store);
  REQUIRE(rows > 100);

  std::mt19937 random(7);
  std::vector<std::int64_t> targets;
  for (int kill = 0; kill < 6; ++kill)
    targets.push_back(static_cast<std::int64_t>(random() % static_cast<unsigned>(rows)));
  std::sort(targets.begin(), targets.end());
  int killed = 0;
  for (const std::int64_t target : targets) {
    const auto run = run_program(
        "act-eval", {cut.suite, "--threads", "1"},
        act_test::interruption{.signal = SIGKILL, .when = [&] { return rows_of(cut.store) >= target; }});
    killed += run.killed ? 1 : 0;
  }
  CHECK(killed >= 4);
  const auto last = run_program("act-eval", {cut.suite, "--threads", "2"});
  CAPTURE(last.err);
  REQUIRE(last.exit_code == 0);
  // Paths are the folders' own.
  std::string got = content_of(cut.store);
  const std::string theirs = cut.folder.path().string(), ours = whole.folder.path().string();
  for (std::size_t at; (at = got.find(theirs)) != std::string::npos;)
    got.replace(at, theirs.size(), ours);
  CHECK((got == expected));
  // The tables too, but for where they are stored.
  CHECK(last.out.substr(0, last.out.find("stored in")) == once.out.substr(0, once.out.find("stored in")));
}

TEST_CASE("what a suite says of a task is what act-eval and act-compare say of the same samples") {
  const suite_files files;
  REQUIRE(run_program("act-eval", {files.suite}).exit_code == 0);
  const auto report = run_program("act-report", {files.store, "--json", files.folder / "report.json"});
  CAPTURE(report.err);
  REQUIRE(report.exit_code == 0);
  const json results = parsed(files.folder / "report.json")["results"];
  const auto way = [&](const std::string& task, int shots, const std::string& method,
                       const std::string& map) {
    for (const json& each : results) {
      if (each["task"] != task || each["shots"] != shots) continue;
      for (const json& one : each["ways"]) {
        if (one["method"] == method && one["map"] == map) return one;
      }
    }
    return json();
  };
  const auto eval = [&](std::vector<std::string> more) {
    const std::string out = files.folder / "eval.json";
    std::vector<std::string> all{"--model", files.model, "--long-prompts", "truncate-left", "--json", out,
                                 "--seed",  "5",         "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    const auto run = run_program("act-eval", all);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return parsed(out);
  };
  const std::string dev = files.folder / "dev.tsv", heads = files.folder / "heads.json";
  for (const char* prior : {"contextual", "batch", "domain"}) {
    CAPTURE(prior);
    const json alone =
        eval({"--task", "sst2", "--data", dev, "--limit", "14", "--heads", heads, "--prior", prior});
    CHECK(way("sst2", 0, "plain", "")["summary"] == alone["baseline"]);
    CHECK(way("sst2", 0, "given", "")["summary"] == alone["calibrated"]);
    CHECK(way("sst2", 0, "given", "")["difference"] == alone["difference"]);
    CHECK(way("sst2", 0, prior, "")["summary"] == alone[prior]);
  }
  const json shots = eval({"--task", "sst2", "--data", dev, "--limit", "14", "--heads", heads, "--shots", "2",
                           "--shot-data", files.folder / "train.tsv", "--shot-seeds", "2"});
  CHECK(way("sst2", 2, "plain", "")["summary"] == shots["baseline"]);
  CHECK(way("sst2", 2, "given", "")["difference"] == shots["difference"]);
  const json questions = eval({"--task", "arce", "--data", files.folder / "test.jsonl", "--limit", "14",
                               "--heads", heads, "--redistribution", "subset", "--subset", "choices"});
  CHECK(way("arce", 0, "uniform", "")["summary"] == questions["calibrated"]);
  const json answers = eval({"--task", "squad", "--data", files.folder / "squad.json", "--limit", "2",
                             "--heads", heads, "--max-new-tokens", "3"});
  CHECK(way("squad", 0, "given", "")["answers"]["exact_match"] == answers["calibrated"]["exact_match"]);
  CHECK(way("squad", 0, "plain", "")["answers"]["f1"] == answers["baseline"]["f1"]);

  // Maps, from the search's own samples: as act-compare fits them on the heads file that act-search makes.
  const std::string found = files.folder / "found.json", compared = files.folder / "compare.json";
  REQUIRE(run_program(
              "act-search",
              {"--model", files.model, "--task", "sst2=" + (files.folder / "train.tsv").string(), "--task",
               "jsonl=" + (files.folder / "own.jsonl").string(), "--samples", "20", "--seed", "5", "--layers",
               "1:2", "--select", "top:3", "--long-prompts", "truncate-left", "--out", found, "--quiet"})
              .exit_code == 0);
  REQUIRE(run_program("act-compare", {"--model", files.model, "--task", "sst2", "--data", dev, "--limit",
                                      "14", "--seed", "5", "--heads", found, "--maps", "--long-prompts",
                                      "truncate-left", "--json", compared, "--quiet"})
              .exit_code == 0);
  std::size_t maps = 0;
  const json rows = parsed(compared)["rows"];
  for (const json& row : rows) {
    const std::string method = row["name"] == "plain" ? "plain" : "found";
    const std::string map = row["map"].is_null() ? "" : row["map"].get<std::string>();
    maps += map.empty() ? 0 : 1;
    CAPTURE(method);
    CAPTURE(map);
    CHECK(way("sst2", 0, method, map)["summary"]["accuracy"] == row["summary"]["accuracy"]);
    CHECK(way("sst2", 0, method, map)["summary"]["auc"] == row["summary"]["auc"]);
  }
  CHECK(maps == 4);
}

TEST_CASE("a suite that is run again computes nothing, a changed one only what is new") {
  const suite_files files;
  const auto planned = [&] {
    const auto run = run_program("act-eval", {files.suite, "--dry-run"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return run.out;
  };
  CHECK(planned().find("found (searched first)") != std::string::npos);
  CHECK(!std::filesystem::exists(files.store));
  REQUIRE(run_program("act-eval", {files.suite}).exit_code == 0);
  CHECK(planned().find("\n0 of ") != std::string::npos);
  const std::string before = content_of(files.store);
  REQUIRE(run_program("act-eval", {files.suite}).exit_code == 0);
  CHECK((content_of(files.store) == before));
  files.write_suite("15");
  CHECK(planned().find("\n0 of ") == std::string::npos);
  REQUIRE(run_program("act-eval", {files.suite}).exit_code == 0);
  // The tables are of the suite as it is now.
  CHECK(run_program("act-report", {files.store}).out.find("  15  ") != std::string::npos);
  CHECK(run_program("act-report", {files.store}).out.find("  14  ") == std::string::npos);
}

TEST_CASE(
    "act-report shows the suite that ran last, another one when asked, and nothing a suite no longer has") {
  const suite_files files;
  const std::string other = files.folder / "other.toml", out = files.folder / "report.json";
  const auto write = [&](const std::string& path, const std::string& more) {
    (void)files.folder.write(
        std::filesystem::path(path).filename().string(),
        "store = \"suite.sqlite\"\n[defaults]\nlimit = 4\nlabelled = 4\n[[model]]\nname = "
        "\"tiny\"\npath = \"M.gguf\"\n" +
            more);
    const auto run = run_program("act-eval", {path, "--quiet"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
  };
  const auto shown = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {files.store, "--json", out});
    const auto run = run_program("act-report", more);
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    std::vector<std::string> tasks;
    const json results = parsed(out)["results"];
    for (const json& each : results)
      tasks.push_back(each["task"]);
    return std::pair(tasks, run.out);
  };
  using list = std::vector<std::string>;
  const std::string jsonl = "[[task]]\ntask = \"jsonl\"\ndata = \"own.jsonl\"\n",
                    arce = "[[task]]\ntask = \"arce\"\ndata = \"test.jsonl\"\n",
                    heads =
                        "[[heads]]\nname = \"found\"\n[heads.search]\ntasks = [\"jsonl\"]\nlayers = \"1:2\"\n"
                        "select = \"top:",
                    given = "[[heads]]\nname = \"given\"\nfile = \"heads.json\"\n";
  write(files.suite, jsonl + arce + heads + "1\"\n");
  CHECK(shown({}).first == list{"jsonl", "arce"});
  CHECK(shown({}).second.find("--suite") == std::string::npos);  // there is no other
  // The order is the suite's, and a search that it no longer has isn't shown.
  write(files.suite, arce + jsonl + heads + "2\"\n");
  CHECK(shown({}).first == list{"arce", "jsonl"});
  REQUIRE(parsed(out)["searches"].size() == 1);
  CHECK(parsed(out)["searches"][0]["picked"].size() == 2);
  write(files.suite, arce + given);
  CHECK(shown({}).first == list{"arce"});
  CHECK(parsed(out)["searches"].empty());

  write(other, jsonl + arce);
  CHECK(shown({}).first == list{"jsonl", "arce"});
  CHECK(shown({}).second.find("\n  " + files.suite + "\n") != std::string::npos);
  CHECK(shown({"--suite", files.suite}).first == list{"arce"});
  CHECK(parsed(out)["results"][0]["ways"].size() == 2);  // plain and given; the other suite has no heads
  REQUIRE(run_program("act-eval", {files.suite, "--ablation", "beta", "--store", files.store, "--quiet"})
              .exit_code == 0);
  CHECK(shown({}).second.find("this is " + files.suite + ", ablation beta") != std::string::npos);
  CHECK(shown({"--ablation", "beta"}).first == list{"arce"});
  CHECK(parsed(out)["results"][0]["ways"].size() == 6);
  CHECK(shown({"--suite", other}).first == list{"jsonl", "arce"});
  act_test::check_one_line(run_program("act-report", {files.store, "--suite", files.model}), 1,
                           "has no such suite; it has " + files.suite + ", ablation beta; ");
}

TEST_CASE("a suite's ranked search is act-search's: its heads, its trials, what it tried exactly") {
  const act_test::temporary_folder folder;
  const std::string labelled = folder.write("labelled.jsonl", act_test::tiny_jsonl(80)),
                    scored = folder.write("scored.jsonl", act_test::tiny_jsonl(4)),
                    suite = folder / "suite.toml", store = folder / "suite.sqlite";
  const auto write = [&](const std::string& strategy) {
    (void)folder.write("suite.toml", "[[model]]\npath = \"" + act_test::tiny_model +
                                         "\"\n[[task]]\ntask = \"jsonl\"\ndata = \"" + scored +
                                         "\"\nlabelled_data = \"" + labelled +
                                         "\"\nlabelled = 80\nlimit = 4\n[[heads]]\nname = \"found\"\n"
                                         "[heads.search]\nlayers = \"0:-1\"\nselect = \"top:4\"\n"
                                         "objective = \"likelihood\"\n" +
                                         strategy);
  };
  write("strategy = \"ranked\"\nbudget = 0.7\n");
  const auto run = run_program("act-eval", {suite, "--quiet"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  REQUIRE(run_program("act-search",
                      {"--model", act_test::tiny_model, "--task", "jsonl=" + labelled, "--samples", "0",
                       "--layers", "0:-1", "--strategy", "ranked", "--budget", "0.7", "--select", "top:4",
                       "--objective", "likelihood", "--out", folder / "heads.json", "--quiet"})
              .exit_code == 0);
  act::sqlite::database data(store);
  act::sqlite::statement row(data, "SELECT file FROM heads");
  REQUIRE(row.step());
  const json found = json::parse(row.text(0)), expected = parsed(folder / "heads.json");
  CHECK(found["heads"] == expected["heads"]);
  CHECK(found["evidence"]["strategy"] == "ranked for top:4 by likelihood within 0.7");
  REQUIRE(found["evidence"]["trials"].size() == 32);
  CHECK(found["evidence"]["trials"] == expected["evidence"]["trials"]);
  CHECK(row.text(0).find("estimated") != std::string::npos);
  CHECK_FALSE(row.step());

  write("budget = 0.7\n");
  act_test::check_one_line(run_program("act-eval", {suite}), 1, "'budget' goes with strategy = \"ranked\"");
  write("strategy = \"ranked\"\nbudget = 1.5\n");
  act_test::check_one_line(run_program("act-eval", {suite}), 1, "'budget' is 1.5, and must be above 0");
  write("strategy = \"ranked\"\nbudget = \"half\"\n");
  act_test::check_one_line(run_program("act-eval", {suite}), 1, "'budget' must be a number");
  write("strategy = \"racing\"\n");
  act_test::check_one_line(run_program("act-eval", {suite}), 1, "'strategy' has no value 'racing'");
}

TEST_CASE("an interrupted suite says how to go on, a wrong one is one line") {
  const suite_files files;
  const auto run = run_program(
      "act-eval", {files.suite, "--threads", "1"},
      act_test::interruption{.signal = SIGINT, .when = [&] { return rows_of(files.store) > 10; }});
  act_test::check_one_line(run, 130, "the same command goes on from");
  (void)files.folder.write("suite.toml", "sede = 1\n");
  act_test::check_one_line(run_program("act-eval", {files.suite}), 1, "suite.toml:1: ");
  act_test::check_one_line(run_program("act-eval", {files.folder / "none.toml"}), 1, "none.toml");
  act_test::check_one_line(run_program("act-report", {files.folder / "none.sqlite"}), 1, "isn't there");
  const std::string bare = files.folder.write("bare.json", R"({"heads": [[1, 0]]})");
  act_test::check_one_line(run_program("act-report", {bare}), 1, "says nothing of heads that were tried");
  act_test::check_one_line(run_program("act-report", {bare, "--csv", files.folder / "x"}), 2, "--csv");
  act_test::check_one_line(run_program("act-report", {bare, "--svg", bare}), 1, "can't be a folder");
  CHECK(run_program("act-eval", {files.suite, "--limit", "3"}).exit_code == 2);
}

TEST_CASE("act-report draws each task's accuracies and each search's heads, those of a heads file too") {
  const suite_files files;
  REQUIRE(run_program("act-eval", {files.suite}).exit_code == 0);
  REQUIRE(run_program("act-report", {files.store, "--svg", files.folder / "figures", "--json",
                                     files.folder / "report.json"})
              .exit_code == 0);
  const json report = parsed(files.folder / "report.json");
  std::size_t accuracies = 0, gains = 0;
  for (const auto& entry : std::filesystem::directory_iterator(files.folder / "figures")) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    pugi::xml_document drawn;
    REQUIRE(drawn.load_file(entry.path().c_str()));
    if (name.starts_with("accuracy-")) {
      ++accuracies;
      CHECK(drawn.select_nodes("//line[@class='interval']").size() > 1);
      CHECK(drawn.select_nodes("//line[@class='plain']").size() == 1);
    } else {
      ++gains;
      CHECK(drawn.select_nodes("//rect[title]").size() > 1);
    }
  }
  CHECK(accuracies == report["results"].size());
  CHECK(gains == report["searches"].size());
}
