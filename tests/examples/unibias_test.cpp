// act-search --select unibias: what it says and writes, and what makes no sense beside it.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

// Prompts in the format of task `jsonl` that differ in their first words only, as a task's do where it
// counts: heads vary little over them. Right answers are `shift` labels on.
std::string alike(std::size_t count, std::size_t shift) {
  const char* words[] = {"the", "weather", "or",   "what", "people",  "ask",
                         "of",  "a",       "long", "and",  "winding", "road"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    std::string prompt;
    for (std::size_t k = 0; k < 3 + i % 3; ++k)
      prompt += words[(i * 5 + k * (i + 1)) % 12] + std::string(" ");
    for (std::size_t k = 0; k < 25; ++k)
      prompt += (k == 0 ? "" : " ") + std::string(words[(k * 5 + k * k + 4) % 12]);
    text += "{\"prompt\": \"" + prompt +
            "\", \"options\": [\" the\", \" of\", \" a\"], \"label\": " + std::to_string((i + shift) % 3) +
            "}\n";
  }
  return text;
}

}  // namespace

TEST_CASE(
    "act-search --select unibias masks what leaves the labels most even, and act-eval takes its heads") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("search.jsonl", alike(12, 0)),
                    other_labels = folder.write("other.jsonl", alike(12, 1)),
                    unseen = folder.write("unseen.jsonl", act_test::tiny_jsonl(12, 3));
  const auto search = [&](const std::string& file, const std::string& out,
                          const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--model",   act_test::tiny_model,
                                       "--task",    "jsonl=" + file,
                                       "--samples", "0",
                                       "--select",  "unibias",
                                       "--mask",    "--quiet",
                                       "--out",     (folder / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program("act-search", arguments);
  };
  const auto found =
      search(data, "heads.json", {"--layers", "0:-1", "--json", (folder / "result.json").string()});
  CAPTURE(found.err);
  REQUIRE(found.exit_code == 0);
  CHECK(found.out.find("sets of biased heads") != std::string::npos);
  const json heads = parsed(folder / "heads.json"), evidence = heads.at("evidence");
  CHECK(heads.at("options") == json::parse(R"({"mask": true})"));
  CHECK(evidence.at("select") == "unibias");
  CHECK(evidence.at("sources").at(0).at("samples").size() == 12);
  const json& sets = evidence.at("sets");
  const std::size_t chosen = evidence.at("chosen");
  CHECK(sets.at(0).at("heads").empty());
  CHECK(sets.at(chosen).at("heads") == heads.at("heads"));
  CHECK(evidence.at("selected") == heads.at("heads"));
  const auto whole = [](const json& set) {
    const std::vector<double> each = set.at("label_probabilities");
    return std::accumulate(each.begin(), each.end(), 0.0);
  };
  for (const json& set : sets) {
    if (set.at("heads").empty()) continue;
    CHECK(set.at("rejected") == !(whole(set) > 0.95 * whole(sets.at(0))));
    if (!set.at("rejected")) CHECK(set.at("label_bias") >= sets.at(chosen).at("label_bias"));
  }
  // A set is all heads whose criteria pass its thresholds.
  std::size_t pass = 0;
  const json& thresholds = sets.back().at("thresholds");
  for (const json& head : evidence.at("criteria")) {
    pass += head.at("logits") > 0.2 && head.at("relatedness") > thresholds.at("relatedness") &&
                    head.at("bias") > thresholds.at("bias") &&
                    head.at("variation") < thresholds.at("variation")
                ? 1
                : 0;
  }
  REQUIRE(chosen > 0);
  CHECK(std::count_if(sets.begin(), sets.end(), [](const json& set) { return set.at("rejected") == true; }) >
        0);
  CHECK(found.out.find(std::to_string(heads.at("heads").size()) + " heads picked (unibias)") !=
        std::string::npos);
  CHECK(sets.back().at("heads").size() == pass);
  const json result = parsed(folder / "result.json");
  CHECK(result.at("sets") == sets);
  CHECK(result.at("options") == heads.at("options"));
  CHECK(result.at("provenance").contains("revision"));

  // Threads change nothing, and neither do other right answers.
  REQUIRE(search(data, "again.json", {"--layers", "0:-1", "--threads", "2"}).exit_code == 0);
  CHECK(parsed(folder / "again.json") == heads);
  REQUIRE(search(other_labels, "other.json", {"--layers", "0:-1"}).exit_code == 0);
  CHECK(parsed(folder / "other.json").at("evidence").at("sets") == sets);
  // Without --layers the upper half: 2 of 4 layers, 8 heads each.
  REQUIRE(search(data, "upper.json", {}).exit_code == 0);
  const json upper = parsed(folder / "upper.json").at("evidence");
  CHECK(upper.at("layers") == json::array({2, 3}));
  CHECK(upper.at("criteria").size() == 16);

  const auto evaluate = [&](const std::string& file, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--model", act_test::tiny_model,
                                       "--task",  "jsonl",
                                       "--data",  file,
                                       "--heads", (folder / "heads.json").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program("act-eval", arguments);
  };
  const auto seen = evaluate(unseen, {});
  REQUIRE(seen.exit_code == 0);
  CHECK(seen.out.find(std::to_string(heads.at("heads").size()) + " heads masked") != std::string::npos);
  // What the heads were chosen on is left out.
  CHECK(evaluate(data, {}).err.find("every chosen sample was used") != std::string::npos);
}

TEST_CASE("what has no meaning beside --select unibias is refused by name") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("search.jsonl", act_test::tiny_jsonl(4)),
                    questions = folder.write("dev.jsonl", act_test::tiny_arce(4)),
                    out = (folder / "o").string();
  const auto says = [&](const std::vector<std::string>& arguments, const std::string& message) {
    std::vector<std::string> all{"--model", act_test::tiny_model, "--out", out, "--select", "unibias",
                                 "--quiet"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto run = run_program("act-search", all);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.err.find(message) != std::string::npos);
    CHECK(!std::filesystem::exists(out));
  };
  const std::string task = "jsonl=" + data;
  says({"--task", task}, "--select: is 'unibias', which chooses heads to be masked; add --mask");
  const std::vector<std::vector<std::string>> others = {{"--verify"},
                                                        {"--verify-best", "2"},
                                                        {"--objective", "auc"},
                                                        {"--state", out + ".state"},
                                                        {"--strategy", "racing"},
                                                        {"--budget", "0.5"},
                                                        {"--risk", "0.1"},
                                                        {"--reuse", "a.state"},
                                                        {"--shard", "1/2"},
                                                        {"--merge", "a.state"},
                                                        {"--dry-run"}};
  for (const std::vector<std::string>& each : others) {
    std::vector<std::string> arguments{"--task", task, "--mask"};
    arguments.insert(arguments.end(), each.begin(), each.end());
    says(arguments, each.front() + ": is about trials of single heads");
  }
  says({"--task", task, "--task", "arce=" + questions, "--mask"}, "--select: looks at one task's labels");
  says({"--task", "arce=" + questions, "--mask", "--scoring", "likelihood"}, "--select: needs label words");
  // Three options in some questions, four in others.
  says({"--task", "arce=" + questions, "--mask"}, "--select: needs the same labels in every sample");
}
