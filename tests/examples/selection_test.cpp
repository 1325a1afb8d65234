// Selection by the programs: what act-search expects of its heads, and what act-eval says of that.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

TEST_CASE("act-search forecasts and verifies, and act-eval says whether what it saw agrees") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("search.jsonl", act_test::tiny_jsonl(40)),
                    unseen = folder.write("unseen.jsonl", act_test::tiny_jsonl(40, 3)),
                    heads = (folder / "heads.json").string();
  const auto search = [&](const std::string& rule, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--model",   act_test::tiny_model,
                                       "--task",    "jsonl=" + data,
                                       "--samples", "0",
                                       "--layers",  "0:-1",
                                       "--state",   (folder / "s.state").string(),
                                       "--select",  rule,
                                       "--out",     heads,
                                       "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program("act-search", arguments);
  };
  const auto found = search("top:5", {"--objective", "likelihood", "--verify"});
  REQUIRE(found.exit_code == 0);
  CHECK(found.out.find("whole passes over the search samples of jsonl") != std::string::npos);
  CHECK(found.out.find("forecast for unseen samples of jsonl") != std::string::npos);
  const json evidence = parsed(heads).at("evidence");
  CHECK(evidence.at("forecast").at(0).at("n") == 40);
  CHECK(evidence.at("verified").at(0).at("accuracy").at("plain") == evidence.at("baseline").at("accuracy"));

  const std::string result = (folder / "eval.json").string();
  const auto evaluate = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "--model", act_test::tiny_model, "--task", "jsonl", "--data", unseen, "--heads", heads, "--json",
        result};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program("act-eval", arguments);
  };
  const auto seen = evaluate({});
  REQUIRE(seen.exit_code == 0);
  CHECK(seen.out.find("Gain of accuracy: forecast ") != std::string::npos);
  const json check = parsed(result).at("forecast").at("accuracy");
  CHECK(check.at("gain") == evidence.at("forecast").at(0).at("accuracy").at("gain"));
  const double difference =
      parsed(result).at("difference").at("accuracy").get<double>() - check.at("gain").get<double>();
  CHECK(check.at("observed_less_forecast").get<double>() == doctest::Approx(difference));
  CHECK(check.at("agrees") == (std::fabs(difference) <= check.at("allowed").get<double>()));

  // Another calibration than the file's wasn't forecast.
  const auto other = evaluate({"--beta", "0.1"});
  REQUIRE(other.exit_code == 0);
  CHECK(!parsed(result).contains("forecast"));

  // K by cross-validation; what it chose among stands in the file.
  const auto chosen = search("top", {"--objective", "centred"});
  REQUIRE(chosen.exit_code == 0);
  CHECK(chosen.out.find("cross-validation takes") != std::string::npos);
  const json estimates = parsed(heads).at("evidence").at("estimates");
  CHECK(estimates.at(0).at("heads") == 0);
  CHECK(estimates.at(0).at("gain") == 0);
  CHECK(estimates.back().at("heads").get<std::size_t>() == parsed(heads).at("evidence").at("trials").size());
}
