// act-eval's few-shot runs and its label prior, as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/tasks/shots.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::parsed_lines;
using act_test::run_program;
using nlohmann::json;

namespace {

std::vector<std::string> eval_arguments(const std::string& data, std::vector<std::string> more) {
  more.insert(more.begin(), {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data});
  return more;
}

// Short prompts, so that shots fit the tiny context.
std::string short_jsonl(std::size_t count, bool priors) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += R"({"prompt": "the road )" + std::to_string(i * 3) +
            R"( is", "options": [" the", " of", " a"],)" +
            (priors ? R"("prior_prompt": "the road is",)" : "") + R"( "label": )" +
            std::to_string((i * 5) % 3) + "}\n";
  }
  return text;
}

bool contains(const std::vector<int>& whole, const std::vector<int>& part) {
  return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

}  // namespace

TEST_CASE("--shots: a result for each seed, the mean at the top") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", short_jsonl(30, false));
  const std::string train = folder.write("train.jsonl", short_jsonl(50, false));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto run = run_program(
      "act-eval", eval_arguments(data, {"--shots", "3", "--shot-data", train, "--heads", heads, "--json",
                                        folder / "result.json", "--predictions", folder / "lines.jsonl"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("mean over 5 seeds") != std::string::npos);
  CHECK(run.out.find("McNemar") == std::string::npos);
  const json result = parsed(folder / "result.json");
  REQUIRE(result["per_seed"].size() == 5);
  double accuracy = 0, calibrated = 0;
  for (std::size_t seed = 0; seed < 5; ++seed) {
    const json& one = result["per_seed"][seed];
    CHECK(one["shot_seed"] == 42 * seed);
    CHECK(one["n"] == 30);
    CHECK(one["difference"]["mcnemar_p"].is_number());
    accuracy += one["baseline"]["accuracy"].get<double>() / 5;
    calibrated += one["calibrated"]["accuracy"].get<double>() / 5;
  }
  CHECK(result["n"] == 30);
  CHECK(result["baseline"]["accuracy"].get<double>() == doctest::Approx(accuracy));
  CHECK(result["calibrated"]["accuracy"].get<double>() == doctest::Approx(calibrated));
  CHECK(result["difference"]["mcnemar_p"].is_null());
  CHECK(result["baseline"]["ci95"][0] <= result["baseline"]["accuracy"]);
  CHECK(result["baseline"]["ci95"][1] >= result["baseline"]["accuracy"]);
  CHECK(result["shots"]["count"] == 3);

  const auto lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 150);
  std::vector<std::size_t> right(5);
  for (const json& line : lines) {
    const std::size_t seed = line["shot_seed"].get<std::size_t>() / 42;
    right.at(seed) += line["baseline"]["prediction"] == line["label"] ? 1 : 0;
    CHECK(line["prompt_tokens"].size() > 20);
  }
  for (std::size_t seed = 0; seed < 5; ++seed)
    CHECK(result["per_seed"][seed]["baseline"]["correct"] == right[seed]);
  CHECK(lines[0]["prompt_tokens"] != lines[30]["prompt_tokens"]);  // other shots
}

TEST_CASE("--shots from the same file: a sample is never its own shot") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", short_jsonl(6, false));
  const auto zero = run_program("act-eval", eval_arguments(data, {"--predictions", folder / "zero.jsonl"}));
  const auto run =
      run_program("act-eval", eval_arguments(data, {"--shots", "5", "--shot-data", data, "--shot-seeds", "2",
                                                    "--predictions", folder / "lines.jsonl"}));
  CAPTURE(run.err);
  REQUIRE(zero.exit_code == 0);
  REQUIRE(run.exit_code == 0);
  const auto alone = parsed_lines(folder / "zero.jsonl");
  const auto lines = parsed_lines(folder / "lines.jsonl");
  REQUIRE(lines.size() == 12);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<int> prompt = lines[i]["prompt_tokens"];
    const std::vector<int> own = alone[i % 6]["prompt_tokens"];
    const std::vector<int> before(prompt.begin(), prompt.end() - static_cast<std::ptrdiff_t>(own.size()));
    CHECK(std::equal(own.rbegin(), own.rend(), prompt.rbegin()));  // asked last
    CHECK(!contains(before, own));
  }
  const auto many = run_program("act-eval", eval_arguments(data, {"--shots", "6", "--shot-data", data}));
  CHECK(many.exit_code == 2);
  CHECK(many.err.find("too few for 6 shots") != std::string::npos);
}

TEST_CASE("shot options that don't belong together are wrong usage") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", short_jsonl(6, false));
  CHECK(run_program("act-eval", eval_arguments(data, {"--shots", "2"})).exit_code == 2);
  CHECK(run_program("act-eval", eval_arguments(data, {"--shot-data", data})).exit_code == 2);
  CHECK(run_program("act-eval", eval_arguments(data, {"--shot-seeds", "2"})).exit_code == 2);
  CHECK(run_program("act-eval", eval_arguments(data, {"--shots", "0", "--shot-data", data})).exit_code == 2);
}

TEST_CASE("--prior contextual: the plain scores less those of the prompt without its text") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", short_jsonl(20, true));
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 0], [2, 3]]})");
  const std::string empty = folder.write(
      "empty.jsonl", R"({"prompt": "the road is", "options": [" the", " of", " a"], "label": 0})");
  const auto run = run_program(
      "act-eval", eval_arguments(data, {"--prior", "contextual", "--heads", heads, "--json",
                                        folder / "result.json", "--predictions", folder / "lines.jsonl"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("contextual - plain") != std::string::npos);
  REQUIRE(
      run_program("act-eval", eval_arguments(empty, {"--predictions", folder / "prior.jsonl"})).exit_code ==
      0);
  const json prior = parsed_lines(folder / "prior.jsonl").front()["baseline"]["scores"];
  std::size_t correct = 0;
  for (const json& line : parsed_lines(folder / "lines.jsonl")) {
    for (std::size_t word = 0; word < 3; ++word) {
      CHECK(line["contextual"]["scores"][word].get<double>() ==
            doctest::Approx(line["baseline"]["scores"][word].get<double>() - prior[word].get<double>())
                .epsilon(1e-4));
    }
    correct += line["contextual"]["prediction"] == line["label"] ? 1 : 0;
  }
  const json result = parsed(folder / "result.json");
  CHECK(result["contextual"]["correct"] == correct);
  CHECK(result["contextual_difference"].contains("mcnemar_p"));
  CHECK(result["difference"].contains("mcnemar_p"));

  const std::string without = folder.write("without.jsonl", short_jsonl(3, false));
  const auto refused = run_program("act-eval", eval_arguments(without, {"--prior", "contextual"}));
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("prior_prompt") != std::string::npos);
}

TEST_CASE("shots, prior and likelihood work together") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", short_jsonl(8, true));
  const std::string train = folder.write("train.jsonl", short_jsonl(9, true));
  const auto run = run_program(
      "act-eval",
      eval_arguments(data, {"--shots", "2", "--shot-data", train, "--shot-seeds", "2", "--prior",
                            "contextual", "--scoring", "likelihood", "--json", folder / "result.json"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(result["scoring"] == "likelihood");
  CHECK(result["per_seed"].size() == 2);
  CHECK(result["per_seed"][1]["contextual"].contains("accuracy"));
  CHECK(result["contextual"].contains("accuracy"));
}
