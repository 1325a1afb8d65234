// act-search as a process: heads files, evidence, interruption and resumption.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/state_units.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::parsed;
using act_test::run_program;
using act_test::units_in;
using act_test::units_so_far;
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

struct change {
  int gained = 0, lost = 0;
  double log_likelihood_gain = 0;
};

// What a predictions file says of calibration: how many answers it turned, and the mean change of the right
// answer's log-probability among the scores.
change change_in(const std::vector<json>& lines) {
  const auto log_likelihood = [](const json& scored, std::size_t label) {
    std::vector<double> scores = scored["scores"];
    if (scored.contains("other")) scores.push_back(scored["other"]);
    double sum = 0;
    for (const double score : scores)
      sum += std::exp(score - scores[label]);
    return -std::log(sum);
  };
  change found;
  for (const json& line : lines) {
    const bool before = line["baseline"]["prediction"] == line["label"];
    const bool after = line["calibrated"]["prediction"] == line["label"];
    found.gained += after && !before ? 1 : 0;
    found.lost += before && !after ? 1 : 0;
    found.log_likelihood_gain +=
        log_likelihood(line["calibrated"], line["label"]) - log_likelihood(line["baseline"], line["label"]);
  }
  found.log_likelihood_gain /= static_cast<double>(lines.size());
  return found;
}

// The trial of one head in a search's result says what an evaluation saw of it. Returns the trial's gain.
double check_trial(const json& result, const json& layer_head, const change& seen) {
  bool found = false;
  double gain = 0;
  for (const json& trial : result["trials"]) {
    if (trial["layer"] != layer_head[0] || trial["head"] != layer_head[1]) continue;
    found = true;
    CHECK(trial["gained"] == seen.gained);
    CHECK(trial["lost"] == seen.lost);
    gain = trial["log_likelihood_gain"].get<double>();
    CHECK(gain == doctest::Approx(seen.log_likelihood_gain).epsilon(1e-3));
  }
  CHECK(found);
  return gain;
}

}  // namespace

TEST_CASE("act-search writes heads with evidence, and act-eval leaves its samples out") {
  const act_test::temporary_folder folder;
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

TEST_CASE("a search by likelihood: a head does in act-eval what its trials said") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.jsonl", act_test::tiny_arce(24));
  const std::vector<std::string> arguments = {"--model",     act_test::tiny_model,
                                              "--task",      "arce=" + data,
                                              "--samples",   "16",
                                              "--scoring",   "likelihood",
                                              "--layers",    "0:-1",
                                              "--alpha",     "3",
                                              "--select",    "top:1",
                                              "--json",      folder / "search.json",
                                              "--state",     folder / "state",
                                              "--out",       folder / "heads.json",
                                              "--objective", "likelihood"};
  const auto search = run_program("act-search", arguments);
  CHECK(search.err == "");
  REQUIRE(search.exit_code == 0);
  const json heads = parsed(folder / "heads.json");
  CHECK(heads["evidence"]["sources"][0]["scoring"] == "likelihood");
  REQUIRE(heads["heads"].size() == 1);
  const json result = parsed(folder / "search.json");
  CHECK(result["trials"].size() == 4 * 8);
  CHECK(result["work"]["trials"] == 16 * 4 * 8);
  CHECK(result["work"]["layer_rows_avoided"].get<double>() > 0);

  // The same samples again, with this head.
  const auto eval =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "arce", "--data", data, "--limit",
                               "16", "--scoring", "likelihood", "--heads", folder / "heads.json",
                               "--include-search-samples", "--predictions", folder / "lines.jsonl"});
  CHECK(eval.err == "");
  REQUIRE(eval.exit_code == 0);
  const std::vector<json> lines = act_test::parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 16);
  const change seen = change_in(lines);
  CHECK(check_trial(result, heads["heads"][0], seen) > 0);

  // Letters are another search.
  std::vector<std::string> letters = arguments;
  letters[7] = "letters";
  const auto other = run_program("act-search", letters);
  CHECK(other.exit_code == 1);
  CHECK(other.err.find("scored by likelihood") != std::string::npos);
}

TEST_CASE("a search that gives to a part of the prompts: a head does in act-eval what its trials said") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.jsonl", act_test::tiny_arce(16));
  const auto search_of = [&](const std::string& part) {
    return run_program("act-search", {"--model",
                                      act_test::tiny_model,
                                      "--task",
                                      "arce=" + data,
                                      "--layers",
                                      "0:-1",
                                      "--alpha",
                                      "3",
                                      "--select",
                                      "top:1",
                                      "--objective",
                                      "likelihood",
                                      "--redistribution",
                                      "subset",
                                      "--subset",
                                      part,
                                      "--json",
                                      folder / "search.json",
                                      "--state",
                                      folder / "state",
                                      "--out",
                                      folder / "heads.json"});
  };
  const auto search = search_of("choices");
  CHECK(search.err == "");
  REQUIRE(search.exit_code == 0);
  const json heads = parsed(folder / "heads.json");
  CHECK(heads["options"]["redistribution"] == "subset");
  CHECK(heads["options"]["subset"] == "choices");
  REQUIRE(heads["heads"].size() == 1);
  const json result = parsed(folder / "search.json");
  CHECK(result["options"] == heads["options"]);

  // The same samples again, with this head and the file's options.
  const auto eval_with = [&](const std::vector<std::string>& more) {
    const auto eval = run_program(
        "act-eval", with({"--model", act_test::tiny_model, "--task", "arce", "--data", data, "--heads",
                          folder / "heads.json", "--include-search-samples", "--predictions",
                          folder / "lines.jsonl", "--json", folder / "eval.json"},
                         more));
    CHECK(eval.err == "");
    REQUIRE(eval.exit_code == 0);
    return parsed(folder / "eval.json")["options"];
  };
  CHECK(eval_with({}) == heads["options"]);
  const change seen = change_in(act_test::parsed_lines(folder / "lines.jsonl"));
  CHECK(check_trial(result, heads["heads"][0], seen) > 0);

  // The command line wins over the file.
  CHECK(eval_with({"--subset", "question"})["subset"] == "question");
  CHECK(change_in(act_test::parsed_lines(folder / "lines.jsonl")).log_likelihood_gain !=
        seen.log_likelihood_gain);
  const json proportional = eval_with({"--redistribution", "proportional"});
  CHECK(proportional["redistribution"] == "proportional");
  CHECK(!proportional.contains("subset"));

  const auto other = search_of("question");
  CHECK(other.exit_code == 1);
  CHECK(other.err.find("it has 'redistribution subset choices', this one 'redistribution subset question'") !=
        std::string::npos);
}

TEST_CASE("a search by the greedy token: a head does in act-eval what its trials said") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(20));
  const auto search =
      run_program("act-search", with(search_arguments(data, folder / "heads.json"),
                                     {"--scoring", "greedy", "--json", folder / "search.json", "--quiet"}));
  CHECK(search.err == "");
  REQUIRE(search.exit_code == 0);
  json heads = parsed(folder / "heads.json");
  CHECK(heads["evidence"]["sources"][0]["scoring"] == "greedy");
  REQUIRE(heads["heads"].size() > 0);
  heads["heads"] = json::array({heads["heads"][0]});
  const auto eval =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data,
                               "--scoring", "greedy", "--heads", folder.write("one.json", heads.dump()),
                               "--include-search-samples", "--predictions", folder / "lines.jsonl"});
  REQUIRE(eval.exit_code == 0);
  const change seen = change_in(act_test::parsed_lines(folder / "lines.jsonl"));
  const json result = parsed(folder / "search.json");
  check_trial(result, heads["heads"][0], seen);
}

TEST_CASE("a search on generated answers is refused: a generation for each trial") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.json", R"({"version": "1.1", "data": []})");
  for (const char* scoring : {"default", "greedy", "likelihood"}) {
    const auto run = run_program("act-search", {"--model", act_test::tiny_model, "--task", "squad=" + data,
                                                "--scoring", scoring, "--out", folder / "heads.json"});
    CHECK(run.exit_code == 2);
    CHECK(run.err.find("generation") != std::string::npos);
    CHECK(!std::filesystem::exists(folder / "heads.json"));
  }
}

TEST_CASE("a search by likelihood of a task without options is refused") {
  const act_test::temporary_folder folder;
  const std::string tsv = folder.write("a.tsv", "sentence\tlabel\nfine\t1\n");
  const auto run = run_program("act-search", {"--model", act_test::tiny_model, "--task", "sst2=" + tsv,
                                              "--scoring", "likelihood", "--out", folder / "heads.json"});
  CHECK(run.exit_code == 2);
  CHECK(run.err.find("--scoring") != std::string::npos);
  CHECK(!std::filesystem::exists(folder / "heads.json"));
}

TEST_CASE("a search that is killed at random points ends with the same heads file, byte for byte") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(act_test::sanitized ? 100 : 200));
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
        act_test::interruption{.signal = SIGKILL, .when = [&] { return units_so_far(state) >= target; }});
    CHECK(run.killed);
    CHECK(units_in(state) > stored);
    CHECK(!std::filesystem::exists(folder / "resumed.json"));
  }
  REQUIRE(run_program("act-search", resumed).exit_code == 0);
  CHECK(act_test::read_file(folder / "whole.json") == act_test::read_file(folder / "resumed.json"));
}

TEST_CASE("a search by likelihood or greedy token, however it is stopped, ends with the same heads file") {
  const act_test::temporary_folder folder;
  std::string scoring = "likelihood";
  std::string task = "arce=" + folder.write("arce.jsonl", act_test::tiny_arce(8)).string();
  SUBCASE("likelihood") {}
  SUBCASE("greedy") {
    scoring = "greedy";
    task = "jsonl=" + folder.write("data.jsonl", act_test::tiny_jsonl(40)).string();
  }
  const auto arguments = [&](const std::string& name) -> std::vector<std::string> {
    return {"--model",   act_test::tiny_model,
            "--task",    task,
            "--samples", "0",
            "--layers",  "0:-1",
            "--scoring", scoring,
            "--select",  "top:5",
            "--out",     folder / (name + ".json"),
            "--state",   folder / (name + ".state")};
  };
  REQUIRE(run_program("act-search", arguments("whole")).exit_code == 0);
  const int whole = units_in(folder / "whole.state");
  REQUIRE(whole > 12);

  const std::string state = folder / "stopped.state";
  for (const int signal : {SIGINT, SIGKILL, SIGTERM}) {
    CAPTURE(signal);
    const int stored = units_in(state);
    const auto run = run_program("act-search", arguments("stopped"),
                                 act_test::interruption{.signal = signal, .when = [&] {
                                                          return units_so_far(state) >= stored + whole / 6;
                                                        }});
    CHECK(run.killed == (signal == SIGKILL));
    if (signal != SIGKILL) {
      CHECK(run.exit_code == 130);
      CHECK(run.err == "act-search: interrupted; the same command goes on from " + state + "\n");
    }
    CHECK(units_in(state) > stored);
    CHECK(!std::filesystem::exists(folder / "stopped.json"));
  }
  REQUIRE(run_program("act-search", arguments("stopped")).exit_code == 0);
  CHECK(act_test::read_file(folder / "whole.json") == act_test::read_file(folder / "stopped.json"));
}

TEST_CASE("Ctrl-C ends a search cleanly: exit code 130, the state kept, no heads file") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(1000));
  const auto arguments = with(search_arguments(data, folder / "heads.json"), {"--state", folder / "state"});
  const auto run = run_program(
      "act-search", arguments,
      act_test::interruption{.signal = SIGINT, .when = [&] { return units_so_far(folder / "state") > 0; }});
  CHECK(run.exit_code == 130);
  CHECK(run.err ==
        "act-search: interrupted; the same command goes on from " + (folder / "state").string() + "\n");
  CHECK(!std::filesystem::exists(folder / "heads.json"));
  CHECK(std::filesystem::exists(folder / "state"));
}

TEST_CASE("several tasks are searched together, where no head helps it says so and exits with 0") {
  const act_test::temporary_folder folder;
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

TEST_CASE("a model of too few layers for the default range is searched in the layers that it has") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4));
  // The tiny model's own bytes, with less blocks than they hold.
  std::string bytes = act_test::read_file(act_test::tiny_model);
  const std::string key = "llama.block_count";
  const std::size_t count = bytes.find(key) + key.size() + 4;  // behind the value's type
  REQUIRE(bytes.at(count) == 4);
  for (const char layers : {char{1}, char{2}, char{3}}) {
    bytes[count] = layers;
    const std::string model = folder.write("few.gguf", bytes);
    const auto search = [&](std::vector<std::string> more) {
      more.insert(more.begin(), {"--model", model, "--task", "jsonl=" + data, "--samples", "4", "--out",
                                 folder / "heads.json"});
      return run_program("act-search", more);
    };
    const auto some = search({"--layers", "0:0"});
    CHECK(some.err == "");
    CHECK(some.exit_code == 0);
    CHECK(std::filesystem::remove(folder / "heads.json"));
    const auto usual = search({});
    CHECK(usual.exit_code == 2);
    CHECK(usual.err.find("for example 0:-1, for a model of " + std::to_string(layers)) != std::string::npos);
    CHECK(search({"--layers", "0:-1"}).exit_code == 0);
  }
}
