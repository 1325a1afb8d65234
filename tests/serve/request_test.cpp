// Bodies of requests, good and hostile: what is taken, and that everything else is refused by name.
#include <doctest/doctest.h>
#include <act/serve/chat_request.hpp>
#include <act/serve/completion_request.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "serve/refused.hpp"

using act_test::refused;
using nlohmann::json;

namespace {

const act::serve::request_limits limits{.prompts = 4, .new_tokens = 100};

act::serve::completion_request text(const std::string& body) {
  return act::serve::parse_completion_request(body, limits);
}

act::serve::chat_request chat(const std::string& body) {
  return act::serve::parse_chat_request(body, limits);
}

// A good body with another member.
std::string with(const std::string& member) {
  return R"({"model": "m", "prompt": "a", )" + member + "}";
}

std::string chat_with(const std::string& member) {
  return R"({"model": "m", "messages": [{"role": "user", "content": "a"}], )" + member + "}";
}

}  // namespace

TEST_CASE("a completion request is read as it stands, with OpenAI's defaults") {
  const auto least = text(R"({"model": "m", "prompt": "Once"})");
  CHECK(least.model == "m");
  CHECK(std::get<std::string>(least.prompts.at(0)) == "Once");
  CHECK(!least.echo);
  CHECK(!least.logprobs);
  CHECK(!least.how.max_tokens);
  CHECK(least.how.sampling.temperature == 1);
  CHECK(least.how.sampling.top_p == 1);
  CHECK(!least.how.stream);
  // Without a seed another one each time.
  CHECK(least.how.sampling.seed != text(R"({"model": "m", "prompt": "Once"})").how.sampling.seed);

  const auto most = text(
      R"({"model": "m@act", "prompt": [[1, 2], [3]], "max_tokens": 0, "echo": true, "logprobs": 5,
          "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["\n", "b"], "n": 1, "best_of": 1,
          "stream": false, "suffix": null, "user": "somebody", "logit_bias": {}, "presence_penalty": 0.0})");
  CHECK(most.prompts.size() == 2);
  CHECK(std::get<1>(most.prompts[0]) == std::vector<act::runtime::token_id>{1, 2});
  CHECK(most.echo);
  CHECK(most.logprobs == 5);
  CHECK(most.how.max_tokens == 0);
  CHECK(most.how.sampling.temperature == 0.5);
  CHECK(most.how.sampling.top_p == 0.9);
  CHECK(most.how.sampling.seed == 7);
  CHECK(most.how.stops == std::vector<std::string>{"\n", "b"});

  CHECK(text(R"({"model": "m", "prompt": ["a", "b", "c"]})").prompts.size() == 3);
  CHECK(text(R"({"model": "m", "prompt": [5, 6, 7]})").prompts.size() == 1);
  CHECK(text(with(R"("stop": "x")")).how.stops == std::vector<std::string>{"x"});
  CHECK(text(with(R"("stop": [])")).how.stops.empty());
  const auto streamed = text(with(R"("stream": true, "stream_options": {"include_usage": true})"));
  CHECK(streamed.how.stream);
  CHECK(streamed.how.usage_in_stream);
}

TEST_CASE("a chat request is read as it stands") {
  const auto read = chat(
      R"({"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user",
          "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
          {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}],
          "max_completion_tokens": 9, "response_format": {"type": "text"}, "tools": []})");
  REQUIRE(read.turns.size() == 4);
  CHECK(read.turns[0].role == act::runtime::chat_role::system);
  CHECK(read.turns[1].text == "ab");
  CHECK(read.turns[2].role == act::runtime::chat_role::assistant);
  CHECK(read.how.max_tokens == 9);
}

TEST_CASE("what act-serve doesn't have is refused by name, never passed over") {
  for (const auto& [given, name] : std::vector<std::pair<std::string, std::string>>{
           {R"("n": 2)", "n"},
           {R"("n": "1")", "n"},
           {R"("best_of": 3)", "best_of"},
           {R"("frequency_penalty": 0.1)", "frequency_penalty"},
           {R"("presence_penalty": -1)", "presence_penalty"},
           {R"("logit_bias": {"50": 1})", "logit_bias"},
           {R"("suffix": "x")", "suffix"},
           {R"("top_k": 5)", "top_k"},
           {R"("min_p": 0.1)", "min_p"},
           {R"("Temperature": 0.1)", "Temperature"},
           {R"("": 1)", ""},
           {R"("max_completion_tokens": 3)", "max_completion_tokens"},
           {R"("stream": true, "echo": true)", "echo"},
           {R"("stream": true, "logprobs": 0)", "logprobs"},
           {R"("stream_options": {"include_usage": true})", "stream_options"},
           {R"("stream": true, "stream_options": {"other": 1})", "stream_options.other"}}) {
    const std::string& member = given;
    CAPTURE(member);
    const auto why = refused([&] { (void)text(with(member)); });
    CHECK(why.status == 400);
    CHECK(why.parameter == name);
    CHECK(why.message.starts_with(name + ": "));
    CHECK(why.message.find('\n') == std::string::npos);
  }
  for (const auto& [given, name] : std::vector<std::pair<std::string, std::string>>{
           {R"("tools": [{"type": "function"}])", "tools"},
           {R"("logprobs": true)", "logprobs"},
           {R"("top_logprobs": 3)", "top_logprobs"},
           {R"("response_format": {"type": "json_object"})", "response_format"},
           {R"("max_tokens": 3, "max_completion_tokens": 3)", "max_completion_tokens"},
           {R"("functions": [])", "functions"}}) {
    const std::string& member = given;
    CAPTURE(member);
    CHECK(refused([&] { (void)chat(chat_with(member)); }).parameter == name);
  }
  CHECK(refused([] {
          (void)chat(R"({"model": "m", "messages": [{"role": "tool", "content": "a"}]})");
        }).message.starts_with("messages[0].role: 'tool'"));
  CHECK(refused([] {
          (void)chat(R"({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]})");
        }).message.find("isn't text") != std::string::npos);
}

TEST_CASE("wrong types and numbers out of range are refused by name") {
  for (const auto& [given, name] :
       std::vector<std::pair<std::string, std::string>>{{R"("max_tokens": -1)", "max_tokens"},
                                                        {R"("max_tokens": 101)", "max_tokens"},
                                                        {R"("max_tokens": 1.5)", "max_tokens"},
                                                        {R"("max_tokens": "5")", "max_tokens"},
                                                        {R"("max_tokens": 1e30)", "max_tokens"},
                                                        {R"("max_tokens": true)", "max_tokens"},
                                                        {R"("logprobs": 6)", "logprobs"},
                                                        {R"("logprobs": true)", "logprobs"},
                                                        {R"("logprobs": -1)", "logprobs"},
                                                        {R"("temperature": -0.1)", "temperature"},
                                                        {R"("temperature": 2.1)", "temperature"},
                                                        {R"("temperature": "hot")", "temperature"},
                                                        {R"("top_p": 0)", "top_p"},
                                                        {R"("top_p": 1.1)", "top_p"},
                                                        {R"("seed": -1)", "seed"},
                                                        {R"("seed": 18446744073709551616)", "seed"},
                                                        {R"("seed": 1.5)", "seed"},
                                                        {R"("stop": [""])", "stop"},
                                                        {R"("stop": "")", "stop"},
                                                        {R"("stop": 5)", "stop"},
                                                        {R"("stop": ["a", "b", "c", "d", "e"])", "stop"},
                                                        {R"("stop": {"a": "b"})", "stop"},
                                                        {R"("echo": 1)", "echo"},
                                                        {R"("echo": "true")", "echo"},
                                                        {R"("stream": [])", "stream"}}) {
    const std::string& member = given;
    CAPTURE(member);
    const auto why = refused([&] { (void)text(with(member)); });
    CHECK(why.status == 400);
    CHECK(why.parameter == name);
  }
  for (const char* prompt : {"5", "[]", "[[]]", "[1, \"a\"]", "[\"a\", 1]", "[\"a\", [1]]", "[[1], \"a\"]",
                             "[[1, -2]]", "[1.5]", "[1, 1.5]", "[4294967296]", "[99999999999999999999]",
                             "{\"a\": 1}", "[[[1]]]", "[null]", "true", "[\"a\",\"b\",\"c\",\"d\",\"e\"]"}) {
    CAPTURE(prompt);
    const auto why = refused([&] { (void)text(std::string(R"({"model": "m", "prompt": )") + prompt + "}"); });
    CHECK(why.status == 400);
    CHECK(why.parameter == "prompt");
  }
  CHECK(refused([] { (void)text(R"({"model": "m"})"); }).parameter == "prompt");
  CHECK(refused([] { (void)text(R"({"prompt": "a"})"); }).parameter == "model");
  CHECK(refused([] { (void)text(R"({"model": 3, "prompt": "a"})"); }).parameter == "model");
  for (const char* messages :
       {"[]", "\"a\"", "[1]", "[{}]", "[{\"role\": \"user\"}]", "[{\"role\": \"user\", \"content\": 5}]",
        "[{\"content\": \"a\"}]", "[{\"role\": \"user\", \"content\": \"a\", \"name\": \"b\"}]", "null"}) {
    CAPTURE(messages);
    const auto why =
        refused([&] { (void)chat(std::string(R"({"model": "m", "messages": )") + messages + "}"); });
    CHECK(why.status == 400);
    CHECK(why.parameter.starts_with("messages"));
  }
}

TEST_CASE("hostile bodies are refused in one line") {
  const std::string deep(100'000, '[');
  std::vector<std::string> bodies{"",
                                  " ",
                                  "null",
                                  "[]",
                                  "5",
                                  "\"text\"",
                                  "{",
                                  R"({"model": "m", "prompt": "a"} x)",
                                  R"({"model": "m", "model": "n", "prompt": "a"})",
                                  R"({"model": "m", "prompt": NaN})",
                                  R"({"model": "m", "prompt": "a", "temperature": NaN})",
                                  R"({"model": "m", "prompt": "a", "temperature": Infinity})",
                                  R"({"model": "m", "prompt": "a", "temperature": 1e999})",
                                  R"({"model": "m", "prompt": "\ud800"})",
                                  R"({"model": "m", "prompt": "\udc00 a"})",
                                  "{\"model\": \"m\", \"prompt\": \"\xff\"}",
                                  "{\"model\": \"m\", \"prompt\": \"\xed\xa0\x80\"}",
                                  "{\"model\": \"m\", \"prompt\": \"a\nb\"}",
                                  std::string("{\"model\": \"m\", \"prompt\": \"a\"}\0", 30),
                                  R"({'model': 'm'})",
                                  deep,
                                  R"({"prompt": )" + deep + std::string(100'000, ']') + "}",
                                  std::string(1000, '{'),
                                  R"({"a": )" + std::string(500'000, '9') + "}"};
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 80));
    for (const auto& why : {refused([&] { (void)text(body); }), refused([&] { (void)chat(body); })}) {
      CHECK(why.status == 400);
      CHECK(why.message.find('\n') == std::string::npos);
      CHECK(why.message.size() < 400);
    }
  }
  // Names from a body are shown fit for a terminal.
  const auto why = refused([] { (void)text(with("\"\\u001b[2J\\u0000\": 1")); });
  CHECK(why.message.starts_with("\\x1b[2J\\x00: "));
}

TEST_CASE("a refusal is OpenAI's error object") {
  const auto body = json::parse(act::serve::refusal("n", "n: \"quoted\" \xff").with_status(404).body());
  CHECK(body["error"]["message"] == "n: \"quoted\" \xef\xbf\xbd");
  CHECK(body["error"]["type"] == "invalid_request_error");
  CHECK(body["error"]["param"] == "n");
  CHECK(body["error"]["code"].is_null());
  const auto busy = act::serve::refusal("", "busy").with_status(503).retry_after(2);
  CHECK(busy.retry_after() == 2);
  CHECK(json::parse(busy.body())["error"]["type"] == "overloaded_error");
  CHECK(json::parse(busy.body())["error"]["param"].is_null());
}
