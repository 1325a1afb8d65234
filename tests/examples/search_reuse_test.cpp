// act-search --reuse as a process: what another search's state has isn't run again, and is the same.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

// A search of the tiny model with its JSON result, or its message.
struct searched {
  int exit_code = 0;
  std::string err;
  json result;
};

searched search(const act_test::temporary_folder& folder, const std::string& data,
                const std::vector<std::string>& more, const std::string& task = "jsonl") {
  std::vector<std::string> arguments{"--model", act_test::tiny_model,  "--task", task + "=" + data,
                                     "--out",   folder / "heads.json", "--json", folder / "result.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto run = run_program("act-search", arguments);
  searched made{.exit_code = run.exit_code, .err = run.err, .result = {}};
  if (run.exit_code == 0) made.result = parsed(folder / "result.json");
  return made;
}

void check_same_trials(const json& a, const json& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (const char* key : {"layer", "head", "gained", "lost", "with_sinks"})
      CHECK(a[i][key] == b[i][key]);
    CHECK(a[i]["log_likelihood_gain"].get<double>() ==
          doctest::Approx(b[i]["log_likelihood_gain"].get<double>()).scale(1e-4).epsilon(0.01));
  }
}

}  // namespace

TEST_CASE("a search of more samples or layers runs only what is new") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(150));
  const std::string state = folder / "some.state";
  const searched some = search(folder, data, {"--samples", "60", "--layers", "1:2", "--state", state});
  REQUIRE(some.exit_code == 0);
  const auto rows = [](const searched& of) { return of.result["work"]["layer_rows_computed"].get<double>(); };

  SUBCASE("the same samples and layers: nothing") {
    const searched again = search(folder, data, {"--samples", "60", "--layers", "1:2", "--reuse", state});
    CAPTURE(again.err);
    REQUIRE(again.exit_code == 0);
    CHECK(rows(again) == 0);
    CHECK(again.result["trials"] == some.result["trials"]);
    CHECK(again.result["baseline"] == some.result["baseline"]);
  }
  SUBCASE("more samples") {
    const searched whole = search(folder, data, {"--samples", "120", "--layers", "1:2"});
    const searched grown =
        search(folder, data,
               {"--samples", "120", "--layers", "1:2", "--reuse", state, "--state", folder / "more.state"});
    CAPTURE(grown.err);
    REQUIRE(grown.exit_code == 0);
    check_same_trials(grown.result["trials"], whole.result["trials"]);
    // Half of the samples; those that share a plain pass with new ones are run again.
    CHECK(rows(grown) < 0.75 * rows(whole));
    CHECK(rows(grown) > 0.25 * rows(whole));
    // The new state has everything.
    const searched resumed =
        search(folder, data,
               {"--samples", "120", "--layers", "1:2", "--reuse", state, "--state", folder / "more.state"});
    CHECK(resumed.result["trials"] == grown.result["trials"]);
  }
  SUBCASE("fewer samples and more layers") {
    const searched whole = search(folder, data, {"--samples", "40", "--layers", "0:-1"});
    const searched wider = search(folder, data, {"--samples", "40", "--layers", "0:-1", "--reuse", state});
    CAPTURE(wider.err);
    REQUIRE(wider.exit_code == 0);
    check_same_trials(wider.result["trials"], whole.result["trials"]);
    CHECK(rows(wider) < rows(whole));
  }
}

TEST_CASE("factors of a part of the prompts are taken over each as its own, and new ones run beside them") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_arce(12));
  const auto with = [&](const std::string& factors, const std::vector<std::string>& more) {
    std::vector<std::string> all{"--columns", "instruction", "--factors",  factors,       "--select",
                                 "top:3",     "--scoring",   "likelihood", "--objective", "likelihood"};
    all.insert(all.end(), more.begin(), more.end());
    const searched made = search(folder, data, all, "arce");
    CAPTURE(made.err);
    REQUIRE(made.exit_code == 0);
    return made.result;
  };
  const std::string state = folder / "some.state";
  with("0.5,2", {"--samples", "6", "--state", state});
  for (const std::string factors : {"0.5,2", "2", "0.25,0.5,2"}) {
    CAPTURE(factors);
    const json grown = with(factors, {"--samples", "9", "--reuse", state});
    const json whole = with(factors, {"--samples", "9"});
    check_same_trials(grown["trials"], whole["trials"]);
    for (std::size_t i = 0; i < whole["trials"].size(); ++i)
      CHECK(grown["trials"][i].value("factor", 0.0) == whole["trials"][i].value("factor", 0.0));
    CHECK(grown["work"]["layer_rows_computed"] < whole["work"]["layer_rows_computed"]);
  }
}

TEST_CASE("trials of another kind are refused by what differs") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(30));
  const std::string state = folder / "some.state";
  REQUIRE(search(folder, data, {"--samples", "20", "--state", state}).exit_code == 0);
  const auto refused = [&](const std::vector<std::string>& more, const std::string& why, int exit_code = 1) {
    const searched made = search(folder, data, more);
    CAPTURE(made.err);
    CHECK(made.exit_code == exit_code);
    CHECK(made.err.find(why) != std::string::npos);
  };
  refused({"--samples", "20", "--beta", "0.2", "--reuse", state}, "'beta 0.4");
  refused({"--samples", "20", "--reuse", folder / "absent.state"}, "absent.state: isn't there");
  refused({"--samples", "20", "--reuse", folder.write("text.state", std::string(4096, 'x'))}, "text.state");
  refused({"--samples", "20", "--reuse", state, "--state", state}, "would overwrite", 2);
}
