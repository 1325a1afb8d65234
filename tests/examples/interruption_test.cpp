// Ctrl-C and SIGTERM stop a program between batches: exit code 130, one line, and nothing half written; what
// had been scored goes beside the results of an earlier run. A search goes on from its state:
// search_test.cpp.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "examples/environment.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

namespace {

using act_test::run_program;

// Runs the program and stops it while it works. The result of an earlier run is there, and must stay. What
// had been done by then is printed and written, if anything was.
void check_stops(const std::string& program, std::vector<std::string> arguments,
                 const std::vector<std::string>& output_options, int signal) {
  CAPTURE(arguments);
  CAPTURE(signal);
  const act_test::temporary_folder results;
  arguments.insert(arguments.begin(), {"--model", act_test::tiny_model});
  std::set<std::string> expected;
  for (const std::string& option : output_options) {
    const std::string name = option.substr(2);
    arguments.insert(arguments.end(), {option, results.write(name, "of an earlier run")});
    expected.insert(name);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto run = run_program(program, arguments,
                               act_test::interruption{.signal = signal, .when = [&] {
                                                        return std::chrono::steady_clock::now() - start >
                                                               std::chrono::milliseconds(300);
                                                      }});
  if (run.exit_code == 0) {
    MESSAGE("[skipped] this machine was done before the interruption");
    return;
  }
  CHECK(run.exit_code == 130);
  CHECK(run.err.starts_with(program + ": interrupted"));
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  const bool some = run.err != program + ": interrupted\n";
  CHECK(run.out.empty() != some);
  if (some) {
    for (const std::string& name : std::set<std::string>(expected))
      expected.insert(name + ".partial");
  }
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(results / "")) {
    left.insert(entry.path().filename().string());
    if (entry.path().extension() != ".partial")
      CHECK(act_test::read_file(entry.path()) == "of an earlier run");
  }
  CHECK(left == expected);
  if (some && !left.contains("predictions.partial")) {  // a text's windows
    const nlohmann::json result = act_test::parsed(results / "json.partial");
    CHECK(result.at("windows") > 0);
    CHECK(result.at("windows") < result.at("interrupted").at("windows"));
  }
  if (!some || !left.contains("predictions.partial")) return;
  const nlohmann::json result = act_test::parsed(results / "json.partial");
  const std::size_t scored = result.at("n");
  CHECK(scored > 0);
  CHECK(scored < result.at("interrupted").at("samples"));
  CHECK(act_test::parsed_lines(results / "predictions.partial").size() == scored);
  CHECK(run.err.find("interrupted; " + std::to_string(scored) + " of 4000 samples had been scored") !=
        std::string::npos);
  CHECK(run.out.find(std::to_string(scored) + " samples of ") != std::string::npos);
}

}  // namespace

TEST_CASE("act-eval stops at Ctrl-C and SIGTERM, however it scores") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4000));
  for (const char* scoring : {"default", "greedy", "likelihood"}) {
    for (const int signal : {SIGINT, SIGTERM}) {
      check_stops("act-eval", {"--task", "jsonl", "--data", data, "--scoring", scoring},
                  {"--json", "--predictions"}, signal);
    }
  }
}

TEST_CASE("act-eval stops at Ctrl-C and SIGTERM in a text's windows") {
  const act_test::temporary_folder folder;
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "a long and winding road what people ask of the weather\n";
  const std::string data = folder.write("text.txt", text);
  for (const int signal : {SIGINT, SIGTERM})
    check_stops("act-eval", {"--task", "ppl", "--data", data, "--stride", "8"}, {"--json"}, signal);
}

TEST_CASE("act-eval stops at Ctrl-C and SIGTERM where nothing is said about how threads wait") {
  const act_test::nothing_about_waiting clear;  // so it has begun anew (begin_test.cpp)
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4000));
  for (const int signal : {SIGINT, SIGTERM})
    check_stops("act-eval", {"--task", "jsonl", "--data", data}, {"--json", "--predictions"}, signal);
}

TEST_CASE("act-eval interrupted between seeds of shots keeps whole seeds, in the first one its samples") {
  const act_test::temporary_folder folder;
  std::string text;  // short prompts: shots fit the tiny context
  for (int i = 0; i < 2000; ++i) {
    text += R"({"prompt": "the road )" + std::to_string(i * 3) +
            R"( is", "options": [" the", " of", " a"], "label": )" + std::to_string(i * 5 % 3) + "}\n";
  }
  const std::string data = folder.write("data.jsonl", text);
  const std::string result = folder / "result.json", partial = result + ".partial";
  for (const int milliseconds : {60, 150, 400, 900}) {
    CAPTURE(milliseconds);
    std::filesystem::remove(partial);
    const auto start = std::chrono::steady_clock::now();
    const auto run =
        run_program("act-eval",
                    {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--shots", "2",
                     "--shot-data", data, "--shot-seeds", "40", "--json", result, "--quiet"},
                    act_test::interruption{.signal = SIGINT, .when = [&] {
                                             return std::chrono::steady_clock::now() - start >
                                                    std::chrono::milliseconds(milliseconds);
                                           }});
    CAPTURE(run.err);
    if (run.exit_code == 0) {
      MESSAGE("[skipped] this machine was done before the interruption");
      return;
    }
    if (run.err.empty()) continue;  // the signal came before the program listened
    CHECK(run.exit_code == 130);
    if (!std::filesystem::exists(partial)) continue;  // nothing had been scored
    const nlohmann::json kept = act_test::parsed(partial);
    const std::size_t seeds = kept.at("per_seed").size(), samples = kept.at("n");
    CHECK(seeds >= 1);
    CHECK(seeds < 40);
    if (seeds > 1) CHECK(samples == 2000);
    CHECK(samples > 0);
    CHECK(run.err.find("interrupted; " + std::to_string(samples) + " of 2000 samples with " +
                       std::to_string(seeds) + " of 40 seeds had been scored") != std::string::npos);
  }
}

TEST_CASE("act-eval --resume goes on from what was kept, and refuses what another evaluation kept") {
  const act_test::temporary_folder folder;
  const int samples = act_test::sanitized ? 250 : 1000;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(samples));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto arguments = [&](const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> all{"--model",
                                 act_test::tiny_model,
                                 "--task",
                                 "jsonl",
                                 "--data",
                                 data,
                                 "--quiet",
                                 "--heads",
                                 heads,
                                 "--json",
                                 folder / (name + ".json"),
                                 "--predictions",
                                 folder / (name + ".jsonl")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  REQUIRE(run_program("act-eval", arguments("whole", {})).exit_code == 0);
  std::size_t taken_over = 0;
  for (int milliseconds = 100; taken_over == 0 && milliseconds < 2000; milliseconds += 100) {
    const auto start = std::chrono::steady_clock::now();
    const auto run = run_program("act-eval", arguments("cut", {}),
                                 act_test::interruption{.signal = SIGINT, .when = [&] {
                                                          return std::chrono::steady_clock::now() - start >
                                                                 std::chrono::milliseconds(milliseconds);
                                                        }});
    if (run.exit_code == 0) break;
    if (std::filesystem::exists(folder / "cut.jsonl.partial"))
      taken_over = act_test::parsed_lines(folder / "cut.jsonl.partial").size();
  }
  if (taken_over == 0) {
    MESSAGE("[skipped] this machine was done before the interruption");
    return;
  }
  CHECK(taken_over < static_cast<std::size_t>(samples));
  // Behind the remark that the heads file has no fingerprint.
  const auto refused = [&](std::vector<std::string> more, const std::string& why) {
    const auto run = run_program("act-eval", arguments("cut", std::move(more)));
    CAPTURE(run.err);
    CHECK(run.exit_code == 1);
    CHECK(run.err.find(why) != std::string::npos);
  };
  refused({"--resume", "--beta", "0.1"}, "is of another evaluation: its \"options\" differs");
  refused({"--resume", "--scoring", "greedy"}, "is of another evaluation: its \"scoring\" differs");
  const auto rest = run_program("act-eval", arguments("cut", {"--resume"}));
  CAPTURE(rest.err);
  REQUIRE(rest.exit_code == 0);
  CHECK(act_test::read_file(folder / "cut.jsonl") == act_test::read_file(folder / "whole.jsonl"));
  nlohmann::json cut = act_test::parsed(folder / "cut.json"), whole = act_test::parsed(folder / "whole.json");
  for (const char* own : {"seconds", "provenance"}) {
    cut.erase(own);
    whole.erase(own);
  }
  CHECK(cut == whole);
  CHECK(!std::filesystem::exists(folder / "cut.json.partial"));
  CHECK(!std::filesystem::exists(folder / "cut.jsonl.partial"));
  // Nothing is kept any more.
  CHECK(run_program("act-eval", arguments("cut", {"--resume"})).exit_code == 0);
  act_test::check_one_line(run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl",
                                                    "--data", data, "--resume"}),
                           2, "needs --predictions and --json");
}
