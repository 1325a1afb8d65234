// act-generate --chat without a prompt: a conversation by standard input.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/process.hpp"
#include "examples/results.hpp"

using act_test::check_one_line;
using act_test::run_program;
using nlohmann::json;

namespace {

struct chat_model {
  act_test::temporary_folder folder;
  std::string path = folder.write("chat.gguf", act_test::tiny_chat_model());

  [[nodiscard]] act_test::process_result says(std::vector<std::string> more, const std::string& input) const {
    more.insert(more.begin(), {"--model", path, "--max-new-tokens", "6"});
    return run_program("act-generate", more, {}, input);
  }
};

}  // namespace

TEST_CASE("a conversation: each answer is that to all that was said before") {
  const chat_model model;
  const auto run = model.says({"--chat", "--quiet", "--json", model.folder / "chat.json"},
                              "what is a road?\n\nthe weather \\\nof people\n");
  CHECK(run.err == "");
  REQUIRE(run.exit_code == 0);
  const json turns = act_test::parsed(model.folder / "chat.json")["turns"];
  REQUIRE(turns.size() == 4);  // the empty line is none
  CHECK(turns[0]["role"] == "user");
  CHECK(turns[1]["role"] == "assistant");
  CHECK(turns[2]["text"] == "the weather \nof people");
  // The first answer is that to the same prompt alone.
  const auto alone = model.says({"--chat", "--quiet", "--prompt", "what is a road?"}, "");
  CHECK(run.out.starts_with(alone.out));
  // The second has the first in its prompt, as the model's template writes it.
  const std::string written = "user: what is a road?\nassistant: " + turns[1]["text"].get<std::string>() +
                              "\nuser: the weather \nof people\nassistant: ";
  const auto whole = model.says({"--quiet", "--prompt", written}, "");
  CHECK(run.out == alone.out + whole.out);
  const auto other = model.says({"--chat", "--quiet", "--prompt", "the weather \nof people"}, "");
  CHECK(run.out != alone.out + other.out);
  // /new forgets, /exit ends; a system text stays.
  const auto anew =
      model.says({"--chat", "--quiet"}, "what is a road?\n/new\nthe weather \\\nof people\n/exit\nmore\n");
  CHECK(anew.out == alone.out + other.out);
  const auto system = model.says({"--chat", "--quiet", "--system", "be brief"}, "a road\n/new\na road\n");
  CHECK(system.exit_code == 0);
  CHECK(system.out.substr(0, system.out.size() / 2) == system.out.substr(system.out.size() / 2));
}

TEST_CASE("a conversation that fills the context, and one without a chat") {
  const chat_model model;
  std::string lines;
  for (int i = 0; i < 400; ++i)
    lines += "what do people ask of a long and winding road, number " + std::to_string(i) + "?\n";
  const std::string small = model.folder.write("small.gguf", act_test::tiny_chat_model(128));
  check_one_line(run_program("act-generate", {"--model", small, "--chat", "--quiet", "--max-new-tokens", "3"},
                             {}, lines),
                 1, "/new");
  check_one_line(run_program("act-generate", {"--model", model.path}), 2, "--chat alone");
  // Nothing is said: that is no error.
  CHECK(model.says({"--chat"}, "").exit_code == 0);
}
