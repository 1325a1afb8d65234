// Selection by the programs: what act-search expects of its heads, and what act-eval says of that.
#include <doctest/doctest.h>
#include <sqlite3.h>
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

TEST_CASE("act-search takes the best of several sets by whole passes, which its state keeps") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("search.jsonl", act_test::tiny_jsonl(40)),
                    state = (folder / "s.state").string();
  const auto search = [&](const std::string& rule, const std::string& name) {
    return run_program("act-search",
                       {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples", "0",
                        "--layers", "0:-1", "--state", state, "--select", rule, "--objective", "likelihood",
                        "--verify-best", "4", "--out", folder / name, "--quiet"});
  };
  const auto found = search("top:4", "first.json");
  CAPTURE(found.err);
  REQUIRE(found.exit_code == 0);
  const json file = parsed(folder / "first.json"), evidence = file.at("evidence");
  const json& measured = evidence.at("measured");
  REQUIRE(measured.size() == 4);
  CHECK(measured[0].at("heads") == 4);
  std::size_t best = 0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (measured[i].at("joint_gain") > measured[best].at("joint_gain")) best = i;
  }
  for (std::size_t i = 0; i < measured.size(); ++i)
    CHECK(measured[i].at("taken") == (i == best));
  CHECK(file.at("heads").size() == measured[best].at("heads"));
  CHECK(found.out.find("taken: ") != std::string::npos);
  CHECK(evidence.contains("verified"));
  CHECK(evidence.contains("forecast"));

  REQUIRE(search("top:4", "again.json").exit_code == 0);
  CHECK(act_test::read_file(folder / "again.json") == act_test::read_file(folder / "first.json"));
  // They come from the state: where it is damaged, they are refused.
  sqlite3* sets = nullptr;
  REQUIRE(sqlite3_open(state.c_str(), &sets) == SQLITE_OK);
  CHECK(sqlite3_exec(sets, "UPDATE joint SET scores = x'00'", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_changes(sets) == 4);
  sqlite3_close(sets);
  const auto damaged = search("top:4", "damaged.json");
  CHECK(damaged.exit_code == 1);
  CHECK(damaged.err.find("doesn't hold the trials") != std::string::npos);
}

namespace {

// The mean log-probability of the right answers among a sample's, of act-eval's predictions.
double likelihood_in(const std::vector<json>& lines, const char* of) {
  double sum = 0;
  for (const json& line : lines) {
    const std::vector<double> scores = line.at(of).at("scores");
    double all = 0;
    for (const double score : scores)
      all += std::exp(score);
    sum += scores.at(line.at("label").get<std::size_t>()) - std::log(all);
  }
  return sum / static_cast<double>(lines.size());
}

}  // namespace

TEST_CASE("act-search --tune-beta takes the beta at which act-eval finds the right answers likeliest") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("search.jsonl", act_test::tiny_jsonl(24));
  const auto search = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--model",     act_test::tiny_model,
                                       "--task",      "jsonl=" + data,
                                       "--samples",   "0",
                                       "--layers",    "0:-1",
                                       "--state",     folder / "s.state",
                                       "--select",    "top:6",
                                       "--objective", "likelihood",
                                       "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program("act-search", arguments);
  };
  const auto found = search({"--tune-beta", "0.6,0,0.4", "--verify", "--out", folder / "tuned.json"});
  CAPTURE(found.err);
  REQUIRE(found.exit_code == 0);
  const json file = parsed(folder / "tuned.json");
  const json& betas = file.at("evidence").at("betas");
  REQUIRE(betas.size() == 3);
  std::size_t best = 0;
  for (std::size_t i = 0; i < betas.size(); ++i) {
    const double beta = betas[i].at("beta");
    CHECK(beta == std::vector<double>{0, 0.4, 0.6}[i]);
    const auto run = run_program(
        "act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads",
                     folder / "tuned.json", "--beta", std::to_string(beta), "--include-search-samples",
                     "--predictions", folder / "lines.jsonl", "--quiet"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    const std::vector<json> lines = act_test::parsed_lines(folder / "lines.jsonl");
    REQUIRE(lines.size() == 24);
    CHECK(
        betas[i].at("likelihood_gain").get<double>() ==
        doctest::Approx(likelihood_in(lines, "calibrated") - likelihood_in(lines, "baseline")).epsilon(1e-4));
    if (betas[i].at("likelihood_gain") > betas[best].at("likelihood_gain")) best = i;
  }
  for (std::size_t i = 0; i < betas.size(); ++i)
    CHECK(betas[i].at("taken") == (i == best));
  CHECK(file.at("options").at("beta") == betas[best].at("beta"));
  CHECK(found.out.find("taken: beta ") != std::string::npos);

  // The heads are those of the search without it, and the state has the passes: --verify's is beta 0.4's.
  REQUIRE(search({"--out", folder / "plain.json"}).exit_code == 0);
  CHECK(parsed(folder / "plain.json").at("heads") == file.at("heads"));
  CHECK(parsed(folder / "plain.json").at("options").at("beta") == 0.4);
  sqlite3* state = nullptr;
  REQUIRE(sqlite3_open((folder / "s.state").c_str(), &state) == SQLITE_OK);
  CHECK(sqlite3_exec(state, "UPDATE joint SET scores = x'00'", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(sqlite3_changes(state) == 3);
  sqlite3_close(state);
  act_test::check_one_line(search({"--tune-beta", "0", "--out", folder / "h.json"}), 1,
                           "doesn't hold the trials");

  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--tune-beta", "1"},
                                             {"--tune-beta", ""},
                                             {"--tune-beta", "0,x"},
                                             {"--tune-beta", "0.2,0.2"},
                                             {"--tune-beta", "nan"},
                                             {"--tune-beta", "0", "--mask"},
                                             {"--tune-beta", "0", "--factor", "2"},
                                             {"--tune-beta", "0", "--betas", "0,0.4"},
                                             {"--tune-beta", "0", "--redistribution", "temperature"}}) {
    CAPTURE(wrong.back());
    std::vector<std::string> all = wrong;
    all.insert(all.end(), {"--out", folder / "h.json"});
    act_test::check_one_line(search(all), 2, "--tune-beta");
  }
}
