// act-eval SUITE.toml --ablation as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::check_one_line;
using act_test::run_program;

namespace {

struct ablation_files {
  act_test::temporary_folder folder;
  std::string suite = folder / "suite.toml";
  std::string store = folder / "suite-ablations.sqlite";
  std::string model = folder.write("M.gguf", act_test::tiny_chat_model());

  ablation_files() {
    (void)folder.write("own.jsonl", act_test::tiny_jsonl(40));
    (void)folder.write("test.jsonl", act_test::tiny_arce(16));
    const auto data = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tasks" / "data";
    (void)folder.write("squad.json", act_test::read_file(data / "squad.json"));
    (void)folder.write("heads.json", act_test::tiny_heads);
    (void)folder.write("suite.toml",
                       "seed = 5\n[defaults]\nlimit = 12\nlabelled = 16\n"
                       "[[model]]\nname = \"tiny\"\npath = \"M.gguf\"\n"
                       "[[task]]\ntask = \"jsonl\"\ndata = \"own.jsonl\"\n"
                       "[[task]]\ntask = \"arce\"\ndata = \"test.jsonl\"\nlabelled = 4\n"
                       "[[task]]\ntask = \"squad\"\ndata = \"squad.json\"\nlimit = 2\nmax_new_tokens = 3\n"
                       "[[heads]]\nname = \"given\"\nfile = \"heads.json\"\n"
                       "[[heads]]\nname = \"found\"\ntasks = [\"jsonl\", \"arce\"]\n"
                       "[heads.search]\nlayers = \"1:2\"\nselect = \"top:3\"\n");
  }

  [[nodiscard]] act_test::process_result run(const std::string& name,
                                             std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {suite, "--ablation", name, "--quiet"});
    return run_program("act-eval", more);
  }
};

}  // namespace

TEST_CASE("act-eval --ablation: every ablation prints its table, and goes on from what is stored") {
  const ablation_files files;
  const auto listed = run_program("act-eval", {"--list-ablations"});
  CHECK(listed.exit_code == 0);
  for (const std::string name : {"method", "redistribution", "alpha", "beta", "search-samples", "share",
                                 "rule", "min-visible-rows", "transfer", "decoding", "generated-sinks"}) {
    CAPTURE(name);
    CHECK(("\n" + listed.out).find("\n" + name + " ") != std::string::npos);
    // One of each kind: with options, with searches, with generated answers.
    if (act_test::sanitized && name != "beta" && name != "transfer" && name != "decoding") continue;
    const auto run = files.run(name);
    CAPTURE(run.out);
    CHECK(run.err == "");
    REQUIRE(run.exit_code == 0);
    CHECK(run.out.find(name + ": ") != std::string::npos);
    CHECK(run.out.find("Vanilla") != std::string::npos);
    CHECK(run.out.find("95 % interval") != std::string::npos);
    if (name != "beta" && name != "transfer") continue;  // one with options, one with searches
    CHECK(files.run(name, {"--dry-run"}).out.find("\n0 of ") != std::string::npos);
    CHECK(files.run(name).out == run.out);
  }
  // The suite's own store isn't touched.
  CHECK(!std::filesystem::exists(files.folder / "suite.sqlite"));
  CHECK(std::filesystem::exists(files.store));
}

TEST_CASE("act-eval --ablation: a setting is what act-eval says with that option") {
  const ablation_files files;
  (void)files.folder.write("suite.toml",
                           "[[model]]\npath = \"M.gguf\"\n[[task]]\ntask = \"arce\"\ndata = \"test.jsonl\"\n"
                           "[[heads]]\nname = \"given\"\nfile = \"heads.json\"\n");
  REQUIRE(files.run("min-visible-rows", {"--store", files.folder / "here.sqlite"}).exit_code == 0);
  REQUIRE(run_program("act-report", {files.folder / "here.sqlite", "--json", files.folder / "r.json"})
              .exit_code == 0);
  const nlohmann::json ways = act_test::parsed(files.folder / "r.json")["results"][0]["ways"];
  REQUIRE(ways.size() == 5);
  for (const auto& [named, rows] :
       {std::pair("given", "1"), std::pair("given (5 rows)", "5"), std::pair("given (20 rows)", "20")}) {
    const std::string setting = named;
    CAPTURE(setting);
    REQUIRE(run_program("act-eval",
                        {"--model", files.model, "--task", "arce", "--data", files.folder / "test.jsonl",
                         "--heads", files.folder / "heads.json", "--min-visible-rows", rows, "--json",
                         files.folder / "single.json", "--quiet"})
                .exit_code == 0);
    const nlohmann::json single = act_test::parsed(files.folder / "single.json");
    bool seen = false;
    for (const nlohmann::json& way : ways) {
      if (way["method"] != setting) continue;
      seen = true;
      CHECK(way["summary"] == single["calibrated"]);
    }
    CHECK(seen);
  }
}

TEST_CASE("act-eval --ablation refuses in one line") {
  const ablation_files files;
  check_one_line(files.run("bta"), 2, "did you mean 'beta'");
  check_one_line(run_program("act-eval", {files.suite, "--ablations", "beta"}), 2, "--ablation");
}
