// --redistribution, --theta and --compatibility of the programs: every name does what the core's option does,
// is recorded, and what makes no sense together is refused.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/runtime/load_model.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::parsed_lines;
using act_test::run_program;
using nlohmann::json;

namespace {

std::vector<std::string> command(const std::string& data, const std::string& heads,
                                 const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "--model", act_test::tiny_model, "--task", "jsonl", "--data", data, "--heads", heads};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("every redistribution calibrates as the core's option does, and is recorded by its name") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(4));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const act::runtime::loaded_model loaded = act::runtime::load_model(act_test::tiny_model);
  act::runtime::model_calibration calibration;
  for (const auto& [layer, head] : {std::pair{1, 0}, {1, 2}, {2, 3}, {3, 1}})
    calibration.heads.insert(static_cast<std::size_t>(layer), static_cast<std::size_t>(head));

  struct named {
    std::vector<std::string> flags;
    act::calibration_options options;
    json recorded;
  };
  using act::redistribution;
  std::vector<named> all{
      {{"--redistribution", "proportional"}, {}, {{"redistribution", "proportional"}}},
      {{"--redistribution", "uniform"},
       {.redistribute = redistribution::uniform},
       {{"redistribution", "uniform"}}},
      {{"--redistribution", "inverse"},
       {.redistribute = redistribution::inverse},
       {{"redistribution", "inverse"}}},
      {{"--redistribution", "temperature"},
       {.redistribute = redistribution::temperature},
       {{"redistribution", "temperature"}, {"theta", 1.1}}},
      {{"--redistribution", "temperature", "--theta", "1.5"},
       {.redistribute = redistribution::temperature, .theta = 1.5},
       {{"redistribution", "temperature"}, {"theta", 1.5}}},
      {{"--redistribution", "inverse-temperature"},
       {.redistribute = redistribution::temperature, .theta = 1 / 1.1},
       {{"redistribution", "inverse-temperature"}, {"theta", 1.1}}},
      {{"--redistribution", "inverse-temperature", "--theta", "2"},
       {.redistribute = redistribution::temperature, .theta = 0.5},
       {{"redistribution", "inverse-temperature"}, {"theta", 2.0}}},
      {{"--compatibility", "authors", "--rule", "absolute"},
       {.sinks = {.rule = act::sink_rule::absolute}, .behave_as = act::compatibility::authors},
       {{"redistribution", "proportional"}, {"compatibility", "authors"}, {"rule", "absolute"}}},
  };
  std::vector<json> seen;
  for (const named& each : all) {
    CAPTURE(each.recorded);
    calibration.options = each.options;
    std::vector<std::string> more = each.flags;
    more.insert(more.end(), {"--json", folder / "result.json", "--predictions", folder / "lines.jsonl"});
    const auto run = run_program("act-eval", command(data, heads, more));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    const json options = parsed(folder / "result.json")["options"];
    for (const auto& [key, value] : each.recorded.items())
      CHECK(options[key] == value);
    CHECK(options.contains("theta") == each.recorded.contains("theta"));
    std::vector<json> scores;
    for (const json& line : parsed_lines(folder / "lines.jsonl")) {
      const std::vector<std::vector<act::runtime::token_id>> prompt{line["prompt_tokens"]};
      std::vector<act::runtime::token_id> words;
      for (const char* word : {" the", " of", " a"})
        words.push_back(
            loaded.tokenizer->encode(word, act::runtime::special_tokens_in_text::are_text, false).back());
      const std::vector<std::span<const act::runtime::token_id>> scored{words};
      const act::runtime::plain_and_calibrated both =
          act::runtime::run_both(loaded.model, act::runtime::pack(loaded.model.config, prompt), calibration);
      const auto expected = act::runtime::label_logits(loaded.model, both.calibrated, scored);
      for (std::size_t word = 0; word < 3; ++word) {
        CHECK(line["calibrated"]["scores"][word].get<double>() ==
              doctest::Approx(expected[0][word]).epsilon(1e-4));
      }
      scores.push_back(line["calibrated"]["scores"]);
    }
    CHECK(std::count(seen.begin(), seen.end(), json(scores)) == 0);  // each calibrates in its own way
    seen.emplace_back(scores);
  }
}

TEST_CASE("redistributions: unknown names and options that make no sense together are wrong usage") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(3));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto refused = [&](const std::vector<std::string>& more, const std::vector<std::string>& names) {
    const auto run = run_program("act-eval", command(data, heads, more));
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
    for (const std::string& name : names)
      CHECK(run.err.find(name) != std::string::npos);
  };
  refused({"--redistribution", "best"},
          {"--redistribution", "proportional", "uniform", "inverse", "temperature", "inverse-temperature"});
  refused({"--compatibility", "paper"}, {"--compatibility", "none", "authors"});
  refused({"--theta", "1.2"}, {"--theta", "temperature"});
  refused({"--redistribution", "temperature", "--theta", "0"}, {"--theta"});
  refused({"--redistribution", "uniform", "--compatibility", "authors"}, {"redistribute", "proportional"});
  refused({"--rule", "baseline-corrected", "--compatibility", "authors"}, {"rule"});
}

TEST_CASE("redistributions: a heads file keeps the search's, and the command line wins over it") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(6));
  const std::string found = folder / "found.json";
  const auto search = run_program("act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data,
                                                 "--layers", "1:2", "--select", "top:2", "--redistribution",
                                                 "inverse-temperature", "--theta", "1.25", "--out", found});
  CAPTURE(search.err);
  REQUIRE(search.exit_code == 0);
  CHECK(parsed(found)["options"]["redistribution"] == "inverse-temperature");
  CHECK(parsed(found)["options"]["theta"] == 1.25);
  const auto options = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = more;
    arguments.insert(arguments.end(), {"--include-search-samples", "--json", folder / "result.json"});
    const auto run = run_program("act-eval", command(data, found, arguments));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "result.json")["options"];
  };
  CHECK(options({})["redistribution"] == "inverse-temperature");
  CHECK(options({})["theta"] == 1.25);
  CHECK(options({"--theta", "2"})["theta"] == 2);
  CHECK(options({"--redistribution", "uniform"})["redistribution"] == "uniform");
  CHECK(!options({"--redistribution", "uniform"}).contains("theta"));
}
