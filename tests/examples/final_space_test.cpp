// --no-final-space: classification prompts that end at their cue, in every program that makes them; results,
// evidence and search states say so. The programs as a user runs them.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

constexpr const char* samples =
    R"({"premise": "the long road", "hypothesis": "a road", "label": "entailment"})"
    "\n"
    R"({"premise": "what people ask", "hypothesis": "the weather", "label": "not_entailment"})"
    "\n"
    R"({"premise": "a winding road", "hypothesis": "people of the road", "label": "not_entailment"})"
    "\n";

act_test::process_result run(const std::string& program, std::vector<std::string> arguments, bool no_space) {
  arguments.insert(arguments.begin(), {"--model", act_test::tiny_model});
  if (no_space) arguments.push_back("--no-final-space");
  return run_program(program, arguments);
}

json result_of(const std::string& program, const std::vector<std::string>& arguments, bool no_space,
               const act_test::temporary_folder& folder) {
  std::vector<std::string> all = arguments;
  all.insert(all.end(), {"--json", folder / "result.json"});
  const auto ended = run(program, all, no_space);
  CAPTURE(ended.err);
  REQUIRE(ended.exit_code == 0);
  return parsed(folder / "result.json");
}

}  // namespace

TEST_CASE("prompts without their last space are one token shorter, and the result says so") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("rte.jsonl", samples);
  const std::vector<std::string> arguments{"--task", "rte",           "--data",
                                           data,     "--predictions", folder / "lines.jsonl"};
  const json with_space = result_of("act-eval", arguments, false, folder);
  const std::vector<json> usual = act_test::parsed_lines(folder / "lines.jsonl");
  const json without = result_of("act-eval", arguments, true, folder);
  const std::vector<json> shorter = act_test::parsed_lines(folder / "lines.jsonl");
  CHECK(with_space["final_space"] == true);
  CHECK(without["final_space"] == false);
  REQUIRE(usual.size() == 3);
  REQUIRE(shorter.size() == 3);
  for (std::size_t i = 0; i < usual.size(); ++i) {
    std::vector<int> tokens = usual[i]["prompt_tokens"];
    tokens.pop_back();  // the space
    CHECK(shorter[i]["prompt_tokens"] == tokens);
    CHECK(shorter[i]["baseline"]["scores"] != usual[i]["baseline"]["scores"]);
  }
  CHECK(run("act-eval", arguments, true).out.find("prompts without their last space") != std::string::npos);

  const std::vector<std::string> looked_at{"--task", "rte", "--data", data};
  const json seen = result_of("act-inspect", looked_at, false, folder);
  const json seen_without = result_of("act-inspect", looked_at, true, folder);
  CHECK(seen["final_space"] == true);
  CHECK(seen_without["final_space"] == false);
  CHECK(seen["tokens"] == seen_without["tokens"].get<int>() + 3);
}

TEST_CASE("heads are found on prompts without their last space, and a state of others is another search's") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("rte.jsonl", samples);
  const std::vector<std::string> arguments{"--task", "rte=" + data,         "--layers", "0:1",
                                           "--out",  folder / "heads.json", "--state",  folder / "state"};
  (void)result_of("act-search", arguments, true, folder);
  CHECK(parsed(folder / "heads.json")["evidence"]["sources"][0]["final_space"] == false);
  const auto other = run("act-search", arguments, false);
  check_one_line(other, 1, "is the state of another search");
  CHECK(other.err.find("task rte without last space") != std::string::npos);
  (void)result_of("act-search", {arguments.begin(), arguments.end() - 2}, false, folder);
  CHECK(parsed(folder / "heads.json")["evidence"]["sources"][0]["final_space"] == true);
  // A task that can't have it isn't searched with it.
  check_one_line(run("act-search",
                     {"--task", "jsonl=" + folder.write("own.jsonl", act_test::tiny_jsonl(2)).string(),
                      "--out", folder / "h.json"},
                     true),
                 2, "--no-final-space");
}

TEST_CASE("a task whose prompts end without a space has none to leave out") {
  const act_test::temporary_folder folder;
  const std::string arce = folder.write("arce.jsonl", act_test::tiny_arce(2));
  const std::string own = folder.write("own.jsonl", act_test::tiny_jsonl(2));
  const std::string text = folder.write("text.txt", "the road");
  for (const auto& [named, data] :
       {std::pair{"arce", arce}, {"jsonl", own}, {"ppl", text}, {"squad", text}}) {
    const std::string task = named;
    CAPTURE(task);
    check_one_line(run("act-eval", {"--task", task, "--data", data}, true), 2, "--no-final-space");
  }
  check_one_line(run("act-inspect", {"--task", "arce", "--data", arce}, true), 2, "--no-final-space");
  check_one_line(run("act-inspect", {"--prompt", "the"}, true), 2, "--no-final-space");
  // What has no such space doesn't say anything of it.
  CHECK(!result_of("act-eval", {"--task", "jsonl", "--data", own}, false, folder).contains("final_space"));
}
