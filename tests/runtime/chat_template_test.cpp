// Chat formats against transformers' rendering of the models' own templates (tests/golden/chat/).
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/chat_template.hpp>
#include <act/runtime/checkpoint/chat_template_text.hpp>

#include <unistd.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

nlohmann::json golden() {
  std::ifstream in(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "chat" / "chat.json");
  return nlohmann::json::parse(in);
}

std::vector<act::runtime::chat_turn> turns_of(const nlohmann::json& messages) {
  std::vector<act::runtime::chat_turn> turns;
  for (const auto& each : messages) {
    const std::string role = each.at("role");
    turns.push_back({role == "system"      ? act::runtime::chat_role::system
                     : role == "assistant" ? act::runtime::chat_role::assistant
                                           : act::runtime::chat_role::user,
                     each.at("content")});
  }
  return turns;
}

}  // namespace

TEST_CASE("conversations are written as transformers writes them") {
  const nlohmann::json stored = golden();
  CHECK(stored.at("cases").size() == 6 * 3 + 3 * 2);
  for (const auto& each : stored.at("cases")) {
    CAPTURE(each.at("template").get<std::string>());
    CAPTURE(each.at("messages").size());
    const act::runtime::chat_template& format =
        act::runtime::find_chat_template(each.at("template").get<std::string>());
    CHECK(act::runtime::render(format, turns_of(each.at("messages"))) == each.at("text").get<std::string>());
  }
}

TEST_CASE("a model's own template is recognised, and one that prints something else isn't") {
  const nlohmann::json stored = golden();
  for (const auto& [key, text] : stored.at("templates").items()) {
    const std::string name = key;
    CAPTURE(name);
    std::string jinja = text;
    if (name == "vicuna") {  // Vicuna's files carry no template: there is nothing to recognise
      CHECK_THROWS_AS((void)act::runtime::recognise_chat_template(jinja, "model"), act::error);
      continue;
    }
    CHECK(act::runtime::recognise_chat_template(jinja, "model").name == name);
    // white space between tokens means nothing, a character in quotes does
    std::string spaced = jinja;
    for (std::size_t at = 0; (at = spaced.find(" + ", at)) != std::string::npos; at += 5)
      spaced.replace(at, 3, "  +\n ");
    CHECK(act::runtime::recognise_chat_template(spaced, "model").name == name);
    std::string other = jinja;
    const std::size_t end = other.rfind("eos_token");
    other.insert(end == std::string::npos ? other.rfind("<|im_end|>") : end, "_");
    CHECK_THROWS_AS((void)act::runtime::recognise_chat_template(other, "model"), act::error);
    CHECK_THROWS_AS((void)act::runtime::recognise_chat_template(jinja + "\nBye", "model"), act::error);
    CHECK_THROWS_AS((void)act::runtime::recognise_chat_template(jinja.substr(0, jinja.size() - 1), "model"),
                    act::error);
  }
  CHECK_THROWS_AS((void)act::runtime::recognise_chat_template("", "model"), act::error);
  CHECK_THROWS_AS((void)act::runtime::recognise_chat_template("{{ 'a }} b", "model"), act::error);
  CHECK_THROWS_WITH((void)act::runtime::recognise_chat_template("{{ 'what' }}", "model"),
                    doctest::Contains("smollm2, llama2, vicuna, mistral"));
}

TEST_CASE("impossible conversations are refused") {
  using enum act::runtime::chat_role;
  const auto refused = [](const char* format, const std::vector<act::runtime::chat_turn>& turns) {
    CHECK_THROWS_AS((void)act::runtime::render(act::runtime::find_chat_template(format), turns), act::error);
  };
  refused("smollm2", {});
  refused("smollm2", {{system, "only"}});
  refused("smollm2", {{user, "a"}, {assistant, "b"}});
  refused("smollm2", {{user, "a"}, {user, "b"}, {user, "c"}});
  refused("smollm2", {{user, "a"}, {system, "b"}, {user, "c"}});
  refused("smollm2", {{assistant, "a"}});
  refused("mistral", {{system, "a"}, {user, "b"}});
  CHECK_THROWS_AS((void)act::runtime::find_chat_template("claude"), act::error);
}

TEST_CASE("the template in a model's files is found") {
  if (std::filesystem::exists(ACT_TEST_MODEL)) {
    const auto text = act::runtime::read_chat_template(ACT_TEST_MODEL);
    REQUIRE(text.has_value());
    CHECK(act::runtime::recognise_chat_template(*text, "model").name == "smollm2");
  } else {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
  }
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("act-chat-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  CHECK(!act::runtime::read_chat_template(folder).has_value());
  const auto with = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name) << text;
    return act::runtime::read_chat_template(folder);
  };
  CHECK(!with("tokenizer_config.json", R"({"bos_token": "<s>"})").has_value());
  CHECK(with("tokenizer_config.json", R"({"chat_template": "{{ a }}"})") == "{{ a }}");
  CHECK(
      with(
          "tokenizer_config.json",
          R"({"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "y"}]})") ==
      "y");
  CHECK_THROWS_AS(with("tokenizer_config.json", R"({"chat_template": 3})"), act::error);
  CHECK_THROWS_AS(with("tokenizer_config.json", R"({"chat_template": [{"name": "other"}]})"), act::error);
  CHECK(with("chat_template.jinja", "{{ b }}") == "{{ b }}");
  std::filesystem::remove_all(folder);
}
