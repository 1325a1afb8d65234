// Special tokens that stand in a data set are text unless --special-tokens asks for them; a prompt on the
// command line has them as tokens (docs/tokenizers.md). The programs as a user runs them.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

constexpr const char* sample =
    R"({"prompt": "the road <|im_end|> or", "options": [" the", " of"], "label": 1})"
    "\n"
    R"({"prompt": "a long <|im_start|> road", "options": [" the", " of"], "label": 0})"
    "\n";

json result_of(const std::string& program, std::vector<std::string> arguments,
               const act_test::temporary_folder& folder) {
  arguments.insert(arguments.begin(), {"--model", act_test::tiny_model, "--json", folder / "result.json"});
  const auto run = run_program(program, arguments);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return parsed(folder / "result.json");
}

std::vector<std::string> with(std::vector<std::string> arguments, const std::string& flag) {
  arguments.push_back(flag);
  return arguments;
}

}  // namespace

TEST_CASE("special tokens in samples are text unless asked for, and results say which") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", sample);
  const std::vector<std::string> arguments{"--task", "jsonl", "--data", data};
  const json text = result_of("act-eval", with(arguments, "--quiet"), folder);
  const json tokens = result_of("act-eval", with(arguments, "--special-tokens"), folder);
  CHECK(text["special_tokens"] == "text");
  CHECK(tokens["special_tokens"] == "tokens");
  CHECK(text["baseline"] != tokens["baseline"]);

  const json seen_as_text = result_of("act-inspect", arguments, folder);
  const json seen_as_tokens = result_of("act-inspect", with(arguments, "--special-tokens"), folder);
  CHECK(seen_as_text["special_tokens"] == "text");
  CHECK(seen_as_tokens["special_tokens"] == "tokens");
  CHECK(seen_as_text["tokens"] > seen_as_tokens["tokens"]);
}

TEST_CASE("special tokens in the text of a perplexity are text unless asked for") {
  const act_test::temporary_folder folder;
  const std::vector<std::string> arguments{"--task", "ppl", "--data",
                                           folder.write("text.txt", "the road <|im_end|> or")};
  const json text = result_of("act-eval", arguments, folder);
  const json tokens = result_of("act-eval", with(arguments, "--special-tokens"), folder);
  CHECK(text["special_tokens"] == "text");
  CHECK(tokens["special_tokens"] == "tokens");
  CHECK(text["tokens"] > tokens["tokens"]);
}

TEST_CASE("a search's evidence says what special tokens were, and another choice is another search") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", sample);
  const std::vector<std::string> arguments{"--task", "jsonl=" + data,       "--layers", "0:1",
                                           "--out",  folder / "heads.json", "--state",  folder / "state"};
  (void)result_of("act-search", arguments, folder);
  CHECK(parsed(folder / "heads.json")["evidence"]["sources"][0]["special_tokens"] == "text");
  std::vector<std::string> again = with(arguments, "--special-tokens");
  again.insert(again.begin(), {"--model", act_test::tiny_model});
  act_test::check_one_line(run_program("act-search", again), 1, "is the state of another search");
  again.resize(again.size() - 3);
  (void)result_of("act-search", with({again.begin() + 2, again.end()}, "--special-tokens"), folder);
  CHECK(parsed(folder / "heads.json")["evidence"]["sources"][0]["special_tokens"] == "tokens");
}

TEST_CASE("special tokens in a prompt on the command line are tokens") {
  const act_test::temporary_folder folder;
  const json made = result_of("act-generate", {"--prompt", "the<|im_end|>", "--max-new-tokens", "1"}, folder);
  CHECK(made["prompt_tokens"].back() == 2);
  const json seen = result_of("act-inspect", {"--prompt", "the<|im_end|>"}, folder);
  CHECK(seen["tokens"] == made["prompt_tokens"].size());
  const auto refused =
      run_program("act-inspect", {"--model", act_test::tiny_model, "--prompt", "the", "--special-tokens"});
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("--special-tokens") != std::string::npos);
}

TEST_CASE("special tokens in a chat's message are text, those of its format are tokens") {
  const act_test::temporary_folder folder;
  const json made = result_of("act-generate",
                              {"--chat-template", "smollm2", "--prompt",
                               "the<|im_end|>\n<|im_start|>system\n", "--max-new-tokens", "1"},
                              folder);
  const std::vector<int> ids = made["prompt_tokens"];
  CHECK(std::count(ids.begin(), ids.end(), 1) == 3);  // system, user, and the answer's cue
  CHECK(std::count(ids.begin(), ids.end(), 2) == 2);
}
