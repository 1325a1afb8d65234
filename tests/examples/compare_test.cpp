// act-compare as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

std::vector<std::string> compare(const std::string& data, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--model", act_test::tiny_model, "--task", "jsonl", "--data", data};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("each heads file scores what act-eval says, in one run") {
  const act_test::temporary_folder folder;
  const int samples = act_test::sanitized ? 12 : 40;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(samples));
  const std::string some = folder.write("some.json", act_test::tiny_heads);
  const std::string other = folder.write(
      "other.json", R"({"heads": [[0, 1], [3, 0]], "options": {"beta": 0, "alpha": 2, "rule": "relative"}})");
  const std::string none = folder.write("none.json", R"({"heads": []})");
  for (const char* scoring : {"default", "likelihood"}) {
    CAPTURE(scoring);
    const auto run =
        run_program("act-compare", compare(data, {"--heads", some, "--heads", other, "--heads", none,
                                                  "--scoring", scoring, "--json", folder / "all.json"}));
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    const json all = parsed(folder / "all.json");
    REQUIRE(all["rows"].size() == 4);
    CHECK(all["n"] == samples);
    for (const auto& [row, heads] : std::map<std::size_t, std::string>{{1, some}, {2, other}}) {
      const auto one = run_program(
          "act-eval", compare(data, {"--heads", heads, "--scoring", scoring, "--json", folder / "one.json"}));
      REQUIRE(one.exit_code == 0);
      const json alone = parsed(folder / "one.json");
      CHECK(all["rows"][row]["name"] == heads);
      CHECK(all["rows"][0]["summary"] == alone["baseline"]);
      CHECK(all["rows"][row]["summary"] == alone["calibrated"]);
      CHECK(all["rows"][row]["difference"] == alone["difference"]);
    }
    CHECK(all["rows"][3]["summary"] == all["rows"][0]["summary"]);
    CHECK(run.out.find("plain ") != std::string::npos);
    CHECK(run.out.find(other) != std::string::npos);
  }
}

TEST_CASE("--maps fits on the samples that heads were found on, and these aren't scored") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(60));
  const std::string heads = folder / "heads.json";
  const auto searched = run_program(
      "act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples", "20",
                     "--layers", "0:-1", "--select", "top:5", "--objective", "likelihood", "--out", heads});
  REQUIRE(searched.exit_code == 0);
  const auto run =
      run_program("act-compare", compare(data, {"--heads", heads, "--maps", "--json", folder / "all.json"}));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const json all = parsed(folder / "all.json");
  CHECK(all["n"] == 40);
  CHECK(all["left_out"]["search_samples"] == 20);
  REQUIRE(all["rows"].size() == 6);
  std::vector<std::pair<std::string, std::string>> names;
  for (const json& row : all["rows"])
    names.emplace_back(row["name"], row["map"].is_null() ? "" : row["map"].get<std::string>());
  CHECK(names == std::vector<std::pair<std::string, std::string>>{{"plain", ""},
                                                                  {"plain", "bias"},
                                                                  {"plain", "linear"},
                                                                  {heads, ""},
                                                                  {heads, "bias"},
                                                                  {heads, "linear"}});
  CHECK(all["rows"][1]["fitted_on"] == 20);

  // The same samples in another file: the ones that heads were found on are known by the file's bytes.
  (void)folder.write("data.jsonl", act_test::tiny_jsonl(61));
  const auto changed = run_program("act-compare", compare(data, {"--heads", heads, "--maps"}));
  CHECK(changed.exit_code == 1);
  CHECK(changed.err.find("has changed since") != std::string::npos);
}

TEST_CASE("heads files of other search samples, compared in one run, have their own maps") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(40));
  const std::string other = folder.write("scored.jsonl", act_test::tiny_jsonl(16));
  std::vector<std::string> heads, all{"--maps", "--json", folder / "all.json"};
  for (const char* seed : {"1", "2"}) {
    for (const char* select : {"top:3", "top:5"}) {
      heads.push_back(folder / (std::string(select) + seed + ".json"));
      const auto searched = run_program(
          "act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--samples", "20",
                         "--seed", seed, "--layers", "0:-1", "--select", select, "--objective", "likelihood",
                         "--state", folder / (std::string(seed) + ".state"), "--out", heads.back()});
      REQUIRE(searched.exit_code == 0);
      all.insert(all.end(), {"--heads", heads.back()});
    }
  }
  const auto run = run_program("act-compare", compare(other, all));
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const json together = parsed(folder / "all.json");
  // Plain, its two maps for each of two searches' samples, three rows a heads file.
  REQUIRE(together["rows"].size() == 1 + 4 + 12);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    CAPTURE(i);
    REQUIRE(run_program("act-compare",
                        compare(other, {"--maps", "--json", folder / "one.json", "--heads", heads[i]}))
                .exit_code == 0);
    const json alone = parsed(folder / "one.json")["rows"];
    REQUIRE(alone.size() == 6);
    CHECK(together["rows"][0] == alone[0]);
    for (std::size_t row = 0; row < 2; ++row)
      CHECK(together["rows"][1 + 2 * (i / 2) + row] == alone[1 + row]);
    for (std::size_t row = 0; row < 3; ++row)
      CHECK(together["rows"][5 + 3 * i + row] == alone[3 + row]);
  }
}

TEST_CASE("--maps that can't be fitted says so, or is refused") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const std::string more = folder.write("more.jsonl", act_test::tiny_jsonl(12, 1));
  const auto search = [&](const std::string& out, const std::vector<std::string>& tasks) {
    std::vector<std::string> arguments{"--model", act_test::tiny_model, "--samples",  "6",     "--select",
                                       "top:3",   "--objective",        "likelihood", "--out", folder / out};
    for (const std::string& file : tasks)
      arguments.insert(arguments.end(), {"--task", "jsonl=" + file});
    REQUIRE(run_program("act-search", arguments).exit_code == 0);
  };
  search("few.json", {data});
  const auto few = run_program("act-compare", compare(data, {"--heads", folder / "few.json", "--maps"}));
  REQUIRE(few.exit_code == 0);
  CHECK(few.out.find("No map: fitting one takes ten searched samples") != std::string::npos);
  search("two.json", {data, more});
  act_test::check_one_line(
      run_program("act-compare", compare(data, {"--heads", folder / "two.json", "--maps"})), 1,
      "was searched on two files of jsonl");
  act_test::check_one_line(run_program("act-compare", compare(data, {"--heads", folder / "few.json", "--maps",
                                                                     "--scoring", "greedy"})),
                           2, "--maps: maps labels' scores, of which --scoring greedy has none");
}

TEST_CASE("act-compare refuses what it can't do") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(12));
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& why) {
    const auto run = run_program("act-compare", compare(data, more));
    CAPTURE(run.err);
    CHECK(run.exit_code != 0);
    CHECK(run.err.find(why) != std::string::npos);
  };
  refused({}, "--heads");
  refused({"--heads", heads, "--heads", heads}, "twice");
  refused({"--heads", heads, "--maps"}, "doesn't say on which samples");
  refused({"--heads", heads, "--json", heads}, "would overwrite");
  refused({"--heads", folder.write("far.json", R"({"heads": [[99, 0]]})")}, "99");
  refused({"--heads", folder / "absent.json"}, "absent.json");
}
