// act-eval as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::parsed_lines;
using act_test::run_program;
using nlohmann::json;

TEST_CASE("act-eval without heads: accuracy with its interval, one line a sample") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(40));
  const auto run =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--json",
                               folder / "result.json", "--predictions", folder / "lines.jsonl"});
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(result["task"] == "jsonl");
  CHECK(result["n"] == 40);
  const json& baseline = result["baseline"];
  CHECK(baseline["accuracy"].get<double>() == doctest::Approx(baseline["correct"].get<double>() / 40));
  CHECK(baseline["ci95"][0] <= baseline["accuracy"]);
  CHECK(baseline["ci95"][1] >= baseline["accuracy"]);
  CHECK(baseline["auc"].is_number());
  CHECK(!result.contains("calibrated"));
  CHECK(!result.contains("difference"));
  CHECK(result["model"]["fingerprint"].get<std::string>().size() == 64);
  for (const char* key :
       {"version", "revision", "compiler", "flags", "cpu", "threads", "options", "seconds"}) {
    CHECK(result["provenance"].contains(key));
  }

  const auto lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 40);
  std::size_t correct = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i]["index"] == i);
    CHECK(!lines[i]["prompt_tokens"].empty());
    REQUIRE(lines[i]["baseline"]["scores"].size() == 3);
    const auto scores = lines[i]["baseline"]["scores"].get<std::vector<double>>();
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    CHECK(lines[i]["baseline"]["prediction"] == best);
    correct += lines[i]["baseline"]["prediction"] == lines[i]["label"] ? 1 : 0;
  }
  CHECK(baseline["correct"] == correct);
}

TEST_CASE("act-eval with heads: both in one run, and the plain part unchanged") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(40));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto plain = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                              data, "--predictions", folder / "plain.jsonl"});
  const auto both = run_program(
      "act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads", heads,
                   "--json", folder / "both.json", "--predictions", folder / "both.jsonl"});
  REQUIRE(plain.exit_code == 0);
  REQUIRE(both.exit_code == 0);
  CHECK(both.err.find("has no fingerprint") != std::string::npos);  // a warning, not an error
  const json result = parsed(folder / "both.json");
  CHECK(result["calibrated"]["correct"].get<int>() - result["baseline"]["correct"].get<int>() ==
        result["difference"]["gained"].get<int>() - result["difference"]["lost"].get<int>());
  CHECK(result["difference"]["mcnemar_p"] <= 1.0);
  const auto alone = parsed_lines(folder / "plain.jsonl");
  const auto together = parsed_lines(folder / "both.jsonl");
  std::size_t moved = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    CHECK(alone[i]["baseline"] == together[i]["baseline"]);
    moved += together[i]["baseline"]["scores"] != together[i]["calibrated"]["scores"] ? 1 : 0;
  }
  CHECK(moved > 30);
}

TEST_CASE("beta = 1 changes nothing, options on the command line win over the heads file's") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(20));
  const std::string heads =
      folder.write("heads.json", R"({"options": {"beta": 0.2}, "heads": [[0, 0], [1, 2], [2, 3], [3, 1]]})");
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "--model", act_test::tiny_model,  "--task", "jsonl", "--data", data, "--heads", heads,
        "--json",  folder / "result.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    REQUIRE(run_program("act-eval", arguments).exit_code == 0);
    return parsed(folder / "result.json");
  };
  CHECK(run({})["options"]["beta"] == 0.2);
  const json same = run({"--beta", "1"});
  CHECK(same["options"]["beta"] == 1.0);
  CHECK(same["difference"]["gained"] == 0);
  CHECK(same["difference"]["lost"] == 0);
  CHECK(same["difference"]["auc"] == 0.0);
}

TEST_CASE("--limit chooses samples by seed and keeps the file's order") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(10));
  const auto run =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--limit",
                               "4", "--seed", "42", "--predictions", folder / "lines.jsonl"});
  REQUIRE(run.exit_code == 0);
  std::vector<std::size_t> indices;
  for (const auto& line : parsed_lines(folder / "lines.jsonl"))
    indices.push_back(line["index"]);
  CHECK(indices == std::vector<std::size_t>{2, 3, 4, 5});  // select(10, 4, 42) = 3 2 4 5
}

TEST_CASE("results don't depend on the number of threads") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 0], [2, 3]]})");
  for (const char* threads : {"1", "2", "3"}) {
    REQUIRE(run_program("act-eval",
                        {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads", heads,
                         "--threads", threads, "--predictions", folder / (std::string("lines") + threads)})
                .exit_code == 0);
  }
  CHECK(act_test::read_file(folder / "lines1") == act_test::read_file(folder / "lines2"));
  CHECK(act_test::read_file(folder / "lines1") == act_test::read_file(folder / "lines3"));
}
