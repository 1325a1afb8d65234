// --compute and --profile, as processes: another type gives other logits, near those of float32, and results
// and states say which; a profile counts the products that a pass takes.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

json logits_in(const act_test::temporary_folder& folder, const std::string& type) {
  const std::string out = folder / (type + ".json");
  const auto run = run_program("act-generate", {"--model", act_test::tiny_model, "--compute", type,
                                                "--tokens", "1 5 9 14 3 2 7 11", "--logits", out});
  CHECK(run.exit_code == 0);
  return parsed(out).at("baseline");
}

std::vector<std::string> search_flags(const act_test::temporary_folder& folder, const std::string& type) {
  return {"--model",   act_test::tiny_model,
          "--task",    "jsonl=" + (folder / "data.jsonl").string(),
          "--layers",  "0:-1",
          "--samples", "0",
          "--out",     folder / "heads.json",
          "--state",   folder / "search.state",
          "--compute", type,
          "--quiet"};
}

}  // namespace

TEST_CASE("--compute: near float32's logits, never the same") {
  const act_test::temporary_folder folder;
  const json exact = logits_in(folder, "f32");
  for (const std::string type : {"bf16", "int8"}) {
    CAPTURE(type);
    const json rounded = logits_in(folder, type);
    REQUIRE(rounded.size() == exact.size());
    double most = 0, difference = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      most = std::max(most, std::abs(exact[i].get<double>()));
      difference = std::max(difference, std::abs(exact[i].get<double>() - rounded[i].get<double>()));
    }
    CHECK(difference > 1e-6 * most);
    CHECK(difference < 0.1 * most);
  }
  const auto refused =
      run_program("act-generate", {"--model", act_test::tiny_model, "--compute", "fp4", "--prompt", "a"});
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("--compute: fp4 not in {f32,bf16,int8}") != std::string::npos);
}

TEST_CASE("--compute: heads files say it, and a search's state of another type is refused") {
  const act_test::temporary_folder folder;
  static_cast<void>(folder.write("data.jsonl", act_test::tiny_jsonl(9)));
  CHECK(run_program("act-search", search_flags(folder, "bf16")).exit_code == 0);
  CHECK(parsed(folder / "heads.json").at("model").at("compute") == "bf16");
  act_test::check_one_line(run_program("act-search", search_flags(folder, "f32")), 1, "compute");
}

TEST_CASE("--profile counts every product of every layer") {
  const auto run = run_program("act-generate", {"--model", act_test::tiny_model, "--tokens",
                                                "1 5 9 14 3 2 7 11", "--logits", "/dev/null", "--profile"});
  REQUIRE(run.exit_code == 0);
  std::istringstream lines(run.err);
  std::string line;
  std::vector<std::string> found;
  std::size_t calls = 0;
  while (std::getline(lines, line)) {
    for (const std::string name :
         {"query", "keys, values", "attention output", "feed-forward up", "feed-forward down"}) {
      if (!line.starts_with(name + "  ")) continue;
      found.push_back(name);
      const std::size_t count = std::stoul(line.substr(name.size()));
      CHECK((calls == 0 || calls == count));
      calls = count;
    }
  }
  CAPTURE(run.err);
  CHECK(found.size() == 5);
  CHECK(calls == 4);  // layers of the model
  CHECK(run.err.find("kernels ") != std::string::npos);
}
