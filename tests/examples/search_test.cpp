// act-search as a process: heads files, evidence, interruption and resumption.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sqlite3.h>

#include <random>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

std::vector<std::string> search_arguments(const std::string& data, const std::string& out) {
  return {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples",  "0",     "--layers",
          "0:-1",    "--select",           "top:5",  "--objective",   "likelihood", "--out", out};
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Units that a state file holds so far; 0 while it isn't there or is being written.
int units_in(const std::string& state) {
  sqlite3* data = nullptr;
  sqlite3_stmt* rows = nullptr;
  int units = 0;
  if (sqlite3_open_v2(state.c_str(), &data, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(data, "SELECT COUNT(*) FROM unit", -1, &rows, nullptr) == SQLITE_OK &&
      sqlite3_step(rows) == SQLITE_ROW) {
    units = sqlite3_column_int(rows, 0);
  }
  sqlite3_finalize(rows);
  sqlite3_close(data);
  return units;
}

}  // namespace

TEST_CASE("act-search writes heads with evidence, and act-eval leaves its samples out") {
  const act_test::scratch_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  auto arguments = search_arguments(data, folder / "heads.json");
  arguments[5] = "20";
  const auto search = run_program("act-search", with(arguments, {"--json", folder / "search.json"}));
  CHECK(search.err == "");
  REQUIRE(search.exit_code == 0);

  const json heads = parsed(folder / "heads.json");
  CHECK(heads["format"] == "act-heads");
  CHECK(heads["version"] == 1);
  REQUIRE(heads["heads"].size() > 0);
  CHECK(heads["heads"].size() <= 5);
  CHECK(heads["evidence"]["sources"][0]["samples"].size() == 20);
  CHECK(heads["evidence"]["sources"][0]["scoring"] == "labels");
  CHECK(heads["evidence"]["sources"][0]["sha256"].get<std::string>().size() == 64);
  const json result = parsed(folder / "search.json");
  CHECK(result["trials"].size() == 4 * 8);
  CHECK(result["work"]["trials"] == 20 * 4 * 8);
  CHECK(result["work"]["layer_rows_computed"].get<double>() <
        result["work"]["layer_rows_avoided"].get<double>());
  for (const json& trial : result["trials"]) {
    CHECK(trial["correct"].get<int>() ==
          result["baseline"]["correct"].get<int>() + trial["gained"].get<int>() - trial["lost"].get<int>());
  }

  const auto eval =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads",
                               folder / "heads.json", "--json", folder / "eval.json"});
  CHECK(eval.err == "");  // its own model: no warning
  REQUIRE(eval.exit_code == 0);
  CHECK(eval.out.find("20 samples left out: the heads were found on them") != std::string::npos);
  CHECK(parsed(folder / "eval.json")["n"] == 40);
  CHECK(parsed(folder / "eval.json")["left_out"]["search_samples"] == 20);
  const auto all = run_program(
      "act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads",
                   folder / "heads.json", "--include-search-samples", "--json", folder / "all.json"});
  REQUIRE(all.exit_code == 0);
  CHECK(parsed(folder / "all.json")["n"] == 60);
}

TEST_CASE("a search that is killed at random points ends with the same heads file, byte for byte") {
  const act_test::scratch_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(200));
  REQUIRE(run_program("act-search", with(search_arguments(data, folder / "whole.json"),
                                         {"--state", folder / "whole.state"}))
              .exit_code == 0);
  const int whole = units_in(folder / "whole.state");
  REQUIRE(whole > 20);

  const std::string state = folder / "resumed.state";
  const auto resumed = with(search_arguments(data, folder / "resumed.json"), {"--state", state});
  std::mt19937 draw(20240501);
  for (int kill = 0; kill < 5; ++kill) {
    const int stored = units_in(state);
    const int target = stored + 1 + static_cast<int>(draw() % static_cast<std::uint32_t>(whole / 6));
    CAPTURE(target);
    const auto run = run_program(
        "act-search", resumed,
        act_test::interruption{.signal = SIGKILL, .when = [&] { return units_in(state) >= target; }});
    CHECK(run.killed);
    CHECK(units_in(state) > stored);
    CHECK(!std::filesystem::exists(folder / "resumed.json"));
  }
  REQUIRE(run_program("act-search", resumed).exit_code == 0);
  CHECK(act_test::read_file(folder / "whole.json") == act_test::read_file(folder / "resumed.json"));
}

TEST_CASE("Ctrl-C ends a search cleanly: exit code 130, the state kept, no heads file") {
  const act_test::scratch_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(1000));
  const auto arguments = with(search_arguments(data, folder / "heads.json"), {"--state", folder / "state"});
  const auto run = run_program(
      "act-search", arguments,
      act_test::interruption{.signal = SIGINT, .when = [&] { return units_in(folder / "state") > 0; }});
  CHECK(run.exit_code == 130);
  CHECK(run.err.find("goes on from") != std::string::npos);
  CHECK(!std::filesystem::exists(folder / "heads.json"));
  CHECK(std::filesystem::exists(folder / "state"));
}

TEST_CASE("several tasks are searched together, where no head helps it says so and exits with 0") {
  const act_test::scratch_folder folder;
  const std::string first = folder.write("a.jsonl", act_test::tiny_jsonl(10));
  const std::string second = folder.write("b.jsonl", act_test::tiny_jsonl(10, 4));
  const auto run = run_program(
      "act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + first, "--task", "jsonl=" + second,
                     "--layers", "1:2", "--beta", "1", "--out", folder / "heads.json"});
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("No head helps") != std::string::npos);
  const json heads = parsed(folder / "heads.json");
  CHECK(heads["heads"].empty());
  CHECK(heads["evidence"]["sources"].size() == 2);
  CHECK(heads["evidence"]["baseline"]["n"] == 20);

  const auto eval =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", second,
                               "--heads", folder / "heads.json", "--include-search-samples"});
  CHECK(eval.exit_code == 0);
  CHECK(eval.out.find("names no heads") != std::string::npos);
}
