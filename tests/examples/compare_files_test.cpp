// act-eval --export and act-compare of two files, as processes.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

TEST_CASE("act-eval's export for lm-eval compares as its own predictions and its own result do") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.jsonl", act_test::tiny_arce(24));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const std::string predictions = folder / "predictions.jsonl", exported = folder / "out";
  const auto run =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "arce", "--data", data, "--heads",
                               heads, "--predictions", predictions, "--export", "lm-eval:" + exported,
                               "--json", folder / "result.json", "--quiet"});
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");

  std::ifstream lines(exported + "/calibrated/samples_arce.jsonl");
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const json sample = json::parse(line);
    CHECK(sample["doc_id"].is_number_unsigned());
    CHECK(sample["resps"].size() == sample["arguments"].size());
    CHECK(sample["resps"][0][0][1] == "False");
    CHECK(sample["filtered_resps"][0] == sample["resps"][0][0]);
    CHECK(sample["metrics"] == json{"acc"});
  }
  CHECK(count == 24);

  const auto compared = run_program(
      "act-compare", {exported + "/plain", exported + "/calibrated", "--json", folder / "files.json"});
  REQUIRE(compared.exit_code == 0);
  CHECK(compared.out.find("could show") != std::string::npos);
  const auto own = run_program("act-compare", {predictions, predictions, "--metric", "baseline", "--metric-b",
                                               "calibrated", "--json", folder / "own.json"});
  REQUIRE(own.exit_code == 0);
  const json files = parsed(folder / "files.json")["tasks"][0],
             ours = parsed(folder / "own.json")["tasks"][0];
  CHECK(files["task"] == "arce");
  for (const json& each : {files, ours}) {
    CHECK(each["n"] == 24);
    CHECK(each["correct_a"] == result["baseline"]["correct"]);
    CHECK(each["correct_b"] == result["calibrated"]["correct"]);
    CHECK(each["mcnemar_p"] == result["difference"]["mcnemar_p"]);
  }
}

TEST_CASE("exported log-likelihoods are lm-eval's: sums, not means over an answer's bytes") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("dev.jsonl", act_test::tiny_arce(6));
  const auto run = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "arce", "--data", data,
                                            "--scoring", "likelihood", "--predictions", folder / "own.jsonl",
                                            "--export", "lm-eval:" + (folder / "out").string()});
  REQUIRE(run.exit_code == 0);
  const auto own = act_test::parsed_lines(folder / "own.jsonl"),
             theirs = act_test::parsed_lines(folder / "out/plain/samples_arce.jsonl");
  REQUIRE(own.size() == 6);
  REQUIRE(theirs.size() == own.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    const json& scores = own[i]["baseline"]["scores"];
    REQUIRE(scores.size() == theirs[i]["filtered_resps"].size());
    for (std::size_t k = 0; k < scores.size(); ++k) {
      const std::string answer = theirs[i]["arguments"]["gen_args_" + std::to_string(k)]["arg_1"];
      REQUIRE(answer.starts_with(" "));
      CHECK(std::stod(theirs[i]["filtered_resps"][k][0].get<std::string>()) ==
            doctest::Approx(scores[k].get<double>() * static_cast<double>(answer.size() - 1)));
    }
  }
}

TEST_CASE("act-compare of files says in one line what it can't do") {
  const act_test::temporary_folder folder;
  const std::string file = folder.write("a.jsonl", R"({"doc_id":0,"acc":1.0})");
  check_one_line(run_program("act-compare", {file}), 2, "compares two runs");
  check_one_line(run_program("act-compare", {file, folder / "b.jsonl"}), 1, "b.jsonl");
  check_one_line(run_program("act-compare", {file, file, "--fdr", "2"}), 2, "--fdr");
  CHECK(run_program("act-compare", {file, file}).exit_code == 0);
}
