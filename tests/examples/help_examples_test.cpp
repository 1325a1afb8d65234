// Every example in every --help, literally: what stands there is what a new user types first.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/environment.hpp"
#include "examples/process.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::environment_variable;
using act_test::run_program;

namespace {

// The lines below "Examples:" that are indented, those joined that end with a backslash. `before`: what asks
// for that help besides --help.
std::vector<std::string> examples_of(const std::string& program, std::vector<std::string> before) {
  before.emplace_back("--help");
  std::istringstream help(run_program(program, before).out);
  std::vector<std::string> commands;
  bool there = false, goes_on = false;
  for (std::string line; std::getline(help, line);) {
    if (there && line.starts_with("  ")) {
      if (!goes_on) commands.emplace_back();
      goes_on = line.ends_with('\\');
      commands.back() += line + "\n";
    }
    there = (there && line.starts_with("  ")) || line == "Examples:";
  }
  return commands;
}

// The files that the examples name.
struct example_files {
  act_test::temporary_folder folder;

  example_files() {
    const auto write = [&](const std::string& name, const std::string& text) {
      const std::string path = folder.write(name, text);
    };
    const auto sst2 = [](int first, int count) {
      std::string text = "sentence\tlabel\n";
      for (int i = first; i < first + count; ++i)
        text += "a road of " + std::to_string(i * i) + (i % 3 == 0 ? " people\t1\n" : " weather\t0\n");
      return text;
    };
    const auto trec = [](int first, int count) {
      const char* const classes[] = {"ABBR:exp", "ENTY:animal", "DESC:def",
                                     "HUM:ind",  "LOC:city",    "NUM:dist"};
      std::string text;
      for (int i = first; i < first + count; ++i)
        text += std::string(classes[i % 6]) + " What people ask of the road " + std::to_string(i) + " ?\n";
      return text;
    };
    std::string words;
    for (int i = 0; i < 30; ++i)
      words +=
          "a long and winding road, what people ask of the weather, number " + std::to_string(i * i) + ".\n";
    write("M.gguf", act_test::tiny_chat_model());
    write("dev.tsv", sst2(100, 12));
    write("train.tsv", sst2(0, 24));
    write("a.tsv", sst2(300, 8));
    write("b.txt", trec(300, 8));
    write("test.txt", trec(100, 12));
    write("test.jsonl", act_test::tiny_arce(8));
    write("dev.jsonl", act_test::tiny_arce(6));
    const auto data = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tasks" / "data";
    write("dev-v2.0.json", act_test::read_file(data / "squad.json"));
    write("text.txt", words);
    write("long.txt", words);
    write("p.txt", "what is a long and winding road?\n");
    for (const char* name : {"heads.json", "paper.json", "top.json"})
      write(name, name == std::string("top.json") ? R"({"heads": [[1, 0]]})" : act_test::tiny_heads);
    write("question.jsonl",
          R"({"question_id": 81, "category": "writing", "turns": ["a road", "the weather"]})"
          "\n");
  }

  [[nodiscard]] act_test::process_result run(const std::string& command) const {
    return run_program(
        "/bin/sh",
        {"-c", "cd '" + folder.path().string() + "' && PATH='" ACT_TEST_PROGRAMS "':$PATH\n" + command}, {},
        "a road\n");
  }
};

void check_examples(const std::string& program, const example_files& files, std::size_t count,
                    const std::vector<std::string>& before = {}) {
  // For mpirun.
  const environment_variable root("OMPI_ALLOW_RUN_AS_ROOT", "1"),
      root_confirmed("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), many("OMPI_MCA_rmaps_base_oversubscribe", "1"),
      unbound("OMPI_MCA_hwloc_base_binding_policy", "none");
  const std::vector<std::string> examples = examples_of(program, before);
  CHECK(examples.size() == count);  // so that none is passed over by its layout
  for (const std::string& example : examples) {
    CAPTURE(example);
    if (example.find("mpirun ") != std::string::npos && std::string(ACT_TEST_MPIRUN).empty()) {
      MESSAGE("[skipped] built without MPI");
      continue;
    }
    const auto run = files.run(example);
    CAPTURE(run.err);
    CAPTURE(run.out);
    CHECK(run.exit_code == 0);
    CHECK(!(run.out.empty() && run.err.empty()));
  }
}

// The longest of these tests.
bool left_to_builds_without_sanitizers() {
  if (act_test::sanitized) MESSAGE("[skipped] the programs' other tests run them under the sanitizers");
  return act_test::sanitized;
}

}  // namespace

TEST_CASE("act-eval's examples run as they stand in the help") {
  if (left_to_builds_without_sanitizers()) return;
  check_examples("act-eval", {}, 18);
}

TEST_CASE("a suite's examples run as they stand in the help, and act-report's of its store") {
  const example_files files;
  (void)files.folder.write(
      "suite.toml",
      "[defaults]\nlimit = 6\n[[model]]\npath = \"M.gguf\"\n[[task]]\ntask = \"sst2\"\ndata = "
      "\"dev.tsv\"\n[[heads]]\nname = \"ACT\"\nfile = \"heads.json\"\n");
  check_examples("act-eval", files, 5, {"suite.toml"});
  (void)files.folder.write("heads.json",
                           R"({"model": {"layers": 2, "heads": 1}, "heads": [[1, 0]], "evidence": {"trials": [
                              {"layer": 1, "head": 0, "net": 2, "log_likelihood_gain": 0.1}]}})");
  check_examples("act-report", files, 6);
  for (const char* written :
       {"suite.sqlite", "tables.md", "tables.tex", "results.csv", "report.html", "heads.html",
        "figures/gains-heads.json.svg", "figures/accuracy-M-sst2-0.svg"}) {
    CAPTURE(written);
    CHECK(std::filesystem::exists(files.folder / written));
  }
}

TEST_CASE("act-search's examples run as they stand in the help, one after another in one folder") {
  if (left_to_builds_without_sanitizers()) return;
  const example_files files;
  check_examples("act-search", files, 14);
  for (const char* written :
       {"heads.json", "search.state", "two.json", "more.json", "zerotuning.json", "unsupervised.json",
        "tuned.json", "strengths.json", "masked.json", "unibias.json", "part2.state", "all.state"}) {
    CAPTURE(written);
    CHECK(std::filesystem::exists(files.folder / written));
  }
}

TEST_CASE("act-compare's examples run as they stand in the help") {
  const example_files files;
  // --maps fits on the samples that the heads were found on.
  REQUIRE(
      files.run("act-search --model M.gguf --task trec=b.txt --layers 1:2 --select top:2 --out heads.json")
          .exit_code == 0);
  check_examples("act-compare", files, 3);
}

TEST_CASE("act-generate's examples run as they stand in the help") {
  const example_files files;
  check_examples("act-generate", files, 8);
  CHECK(nlohmann::json::parse(act_test::read_file(files.folder / "text.json"))["prompt"] ==
        "Once upon a time\n");
}

TEST_CASE("act-inspect's examples run as they stand in the help") {
  check_examples("act-inspect", {}, 7);
}

#ifdef ACT_TEST_SERVE
TEST_CASE("act-serve's examples run as they stand in the help, until they are stopped") {
  const example_files files;
  const std::vector<std::string> examples = examples_of("act-serve", {});
  CHECK(examples.size() == 3);
  for (const std::string& example : examples) {
    CAPTURE(example);
    const std::string said = files.folder.write("said", "").string();
    const std::string begin =
        "cd '" + files.folder.path().string() + "' && PATH='" ACT_TEST_PROGRAMS "':$PATH\n";
    const auto run = run_program("/bin/sh", {"-c", begin + "exec >'" + said + "'\nexec " + example},
                                 act_test::interruption{.signal = SIGINT, .when = [&] {
                                                          return act_test::read_file(said).find(" serves ") !=
                                                                 std::string::npos;
                                                        }});
    if (run.err.find("is the port taken") != std::string::npos) {
      MESSAGE("[skipped] another program listens at that port");
      continue;
    }
    CAPTURE(run.err);
    CHECK(run.exit_code == 0);
    CHECK(act_test::read_file(said).find(" serves ") != std::string::npos);
  }
}
#endif
