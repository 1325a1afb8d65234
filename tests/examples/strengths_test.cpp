// act-search with several strengths of each head, and by heads that attend most to the initial token, as a
// process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::read_file;
using act_test::run_program;
using nlohmann::json;

namespace {

using flags = std::vector<std::string>;

act_test::process_result search(const act_test::temporary_folder& folder, const std::string& name,
                                const flags& more) {
  flags arguments{"--model",   act_test::tiny_model,
                  "--task",    "jsonl=" + (folder / "data.jsonl").string(),
                  "--layers",  "0:-1",
                  "--samples", "0",
                  "--out",     folder / name,
                  "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program("act-search", arguments);
}

}  // namespace

TEST_CASE("a search of several betas chooses one for each head, among what each alone finds") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("data.jsonl", act_test::tiny_jsonl(40)));
  const flags how{"--select", "top:6", "--objective", "likelihood"};
  const auto with = [&](flags more) {
    more.insert(more.end(), how.begin(), how.end());
    return more;
  };
  const auto found = search(folder, "heads.json",
                            with({"--betas", "0.7,0,0.4", "--verify", "--json", folder / "result.json"}));
  CAPTURE(found.err);
  REQUIRE(found.exit_code == 0);
  CHECK(found.out.find("with each of 3 strengths") != std::string::npos);
  const json file = parsed(folder / "heads.json"), result = parsed(folder / "result.json");
  CHECK(file.at("evidence").at("strengths") == json({0, 0.4, 0.7}));
  REQUIRE(file.at("heads").size() == 6);
  std::set<std::pair<std::size_t, std::size_t>> once;
  std::set<double> used;
  for (const json& head : file.at("heads")) {
    REQUIRE(head.size() == 3);
    once.insert({head[0].get<std::size_t>(), head[1].get<std::size_t>()});
    used.insert(head[2].get<double>());
  }
  CHECK(once.size() == 6);

  // Each alone finds the same trials; the best of them are picked.
  json all = json::array();
  for (const char* beta : {"0", "0.4", "0.7"}) {
    REQUIRE(search(folder, "one.json", with({"--beta", beta})).exit_code == 0);
    const json one = parsed(folder / "one.json");
    for (json each : one.at("evidence").at("trials")) {
      each["strength"] = std::stod(beta);
      all.push_back(each);
    }
  }
  const auto sorted = [](json trials) {
    std::sort(trials.begin(), trials.end(), [](const json& a, const json& b) {
      return std::array{a["layer"], a["head"], a["strength"]} <
             std::array{b["layer"], b["head"], b["strength"]};
    });
    return trials;
  };
  CHECK(sorted(all) == sorted(file.at("evidence").at("trials")));
  std::sort(all.begin(), all.end(), [](const json& a, const json& b) {
    return a["log_likelihood_gain"].get<double>() > b["log_likelihood_gain"].get<double>();
  });
  json expected = json::array();
  once.clear();
  for (const json& each : all) {
    if (expected.size() < 6 &&
        once.insert({each["layer"].get<std::size_t>(), each["head"].get<std::size_t>()}).second)
      expected.push_back({each["layer"], each["head"], each["strength"]});
  }
  CHECK(file.at("evidence").at("selected") == expected);

  // act-eval calibrates each head with its own.
  const auto seen = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                             folder / "data.jsonl", "--heads", folder / "heads.json",
                                             "--include-search-samples", "--json", folder / "eval.json"});
  CAPTURE(seen.err);
  REQUIRE(seen.exit_code == 0);
  CHECK(parsed(folder / "eval.json").at("calibrated").at("accuracy").get<double>() ==
        doctest::Approx(result.at("verified")[0].at("accuracy").at("joint").get<double>()));

  // One in the list is --beta.
  REQUIRE(search(folder, "list.json", with({"--betas", "0.4"})).exit_code == 0);
  REQUIRE(search(folder, "beta.json", with({"--beta", "0.4"})).exit_code == 0);
  CHECK(read_file(folder / "list.json") == read_file(folder / "beta.json"));
}

TEST_CASE("factors are listed likewise, of sinks and of other columns") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("data.jsonl", act_test::tiny_jsonl(20)));
  for (const flags& columns : {flags{}, flags{"--columns", "initial-token"}}) {
    flags more{"--factors", "0.3,2,20", "--select", "all", "--objective", "likelihood"};
    more.insert(more.end(), columns.begin(), columns.end());
    const auto found = search(folder, "heads.json", more);
    CAPTURE(found.err);
    REQUIRE(found.exit_code == 0);
    std::set<double> used;
    const json file = parsed(folder / "heads.json");
    for (const json& head : file.at("heads"))
      used.insert(head.at(2).get<double>());
    CHECK(used.size() > 1);
    CHECK(file.at("options").at("redistribution") == "renormalised");
    const auto seen = run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data",
                                               folder.write("unseen.jsonl", act_test::tiny_jsonl(10, 3)),
                                               "--heads", folder / "heads.json"});
    CAPTURE(seen.err);
    CHECK(seen.exit_code == 0);
  }
}

TEST_CASE("strengths go with shards, dry runs and states") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("data.jsonl", act_test::tiny_jsonl(60)));
  const flags betas{"--betas", "0.2,0.6"};
  const auto with = [&](flags more) {
    more.insert(more.end(), betas.begin(), betas.end());
    return more;
  };
  REQUIRE(search(folder, "whole.json", with({"--state", folder / "whole.state"})).exit_code == 0);
  for (const char* number : {"1", "2", "3"}) {
    const auto run = run_program(
        "act-search",
        with({"--model", act_test::tiny_model, "--task", "jsonl=" + (folder / "data.jsonl").string(),
              "--layers", "0:-1", "--samples", "0", "--quiet", "--shard", number + std::string("/3"),
              "--state", folder / (number + std::string(".state"))}));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
  }
  REQUIRE(search(folder, "merged.json",
                 with({"--merge", folder / "1.state", folder / "2.state", folder / "3.state"}))
              .exit_code == 0);
  CHECK(read_file(folder / "merged.json") == read_file(folder / "whole.json"));
  const auto other = search(folder, "other.json", {"--betas", "0.2,0.5", "--state", folder / "whole.state"});
  CHECK(other.exit_code == 1);
  CHECK(other.err.find("it has 'betas 0.2") != std::string::npos);

  const auto expected = [&](const flags& more) {
    flags dry{"--dry-run", "--json", folder / "dry.json"};
    dry.insert(dry.end(), more.begin(), more.end());
    const auto run = search(folder, "none.json", dry);
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "dry.json");
  };
  const json one = expected({}), two = expected(betas);
  CHECK(two.at("trials").get<std::size_t>() == 2 * one.at("trials").get<std::size_t>());
  CHECK(two.at("strengths") == json({0.2, 0.6}));
  CHECK(!one.contains("strengths"));
}

TEST_CASE("strengths that make no sense are refused by name") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("data.jsonl", act_test::tiny_jsonl(5)));
  const auto refused = [&](const flags& more, const std::string& why) {
    const auto run = search(folder, "heads.json", more);
    CAPTURE(run.err);
    CHECK(run.exit_code != 0);
    CHECK(run.err.find(why) != std::string::npos);
  };
  refused({"--betas", "0.4,1.5"}, "--betas: must be between 0 and 1; --factors over 1 strengthen");
  refused({"--betas", "0.4,1"}, "--betas: has a 1, which changes nothing");
  refused({"--betas", "0.4,0.4"}, "--betas: has a number twice");
  refused({"--betas", "0.4,,0.5"}, "isn't numbers with commas");
  refused({"--betas", "0.4;0.5"}, "isn't numbers with commas");
  refused({"--betas", "0.4,nan"}, "--betas:");
  refused({"--betas", ""}, "--betas");
  refused({"--factors", "0.4,inf"}, "--factors: must be 0, or between 1e-6 and 1e6");
  refused({"--betas", "0.4,0.5", "--beta", "0.2"}, "--betas: doesn't go with --beta");
  refused({"--factors", "0.4,2", "--factor", "2"}, "--factors: doesn't go with --factor");
  refused({"--betas", "0.4,0.5", "--factor", "2"}, "--betas: is for other columns' rows");
  refused({"--betas", "0.4,0.5", "--factors", "0.4,2"}, "--betas: is for other columns' rows");
  refused({"--factors", "0.4,2", "--redistribution", "uniform"}, "--factors: is for --redistribution");
  refused({"--betas", "0.4,0.5", "--redistribution", "temperature"}, "--betas: has no meaning");
  refused({"--betas", "0.4,0.5", "--mask"}, "--mask");
  refused({"--betas", "0.4,0.5", "--select", "initial-mass:3"}, "--select: initial-mass looks at no trial");
  refused({"--strategy", "racing", "--select", "initial-mass:3"}, "initial-mass goes with exact");
  refused({"--select", "initial-mass"}, "isn't a rule");
}

TEST_CASE("heads by initial mass are the same whatever the labels say") {
  const act_test::temporary_folder folder;
  std::string data = act_test::tiny_jsonl(30);
  static_cast<void>(folder.write("data.jsonl", data));
  const flags how{"--select", "initial-mass:25%"};
  REQUIRE(search(folder, "heads.json", how).exit_code == 0);
  const json first = parsed(folder / "heads.json");
  CHECK(first.at("heads").size() == 8);
  std::string others;
  for (json& line : act_test::json_lines(data)) {
    line["label"] = (line["label"].get<int>() + 1) % 3;
    others += line.dump() + "\n";
  }
  static_cast<void>(folder.write("data.jsonl", others));
  REQUIRE(search(folder, "heads.json", how).exit_code == 0);
  const json second = parsed(folder / "heads.json");
  CHECK(first.at("evidence").at("selected") == second.at("evidence").at("selected"));
  CHECK(first.at("evidence").at("baseline") != second.at("evidence").at("baseline"));
}
