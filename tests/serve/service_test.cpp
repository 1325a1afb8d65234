// The service on a tiny model: its numbers are PyTorch's and the runtime's own, plain and calibrated.
#include <doctest/doctest.h>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/generate.hpp>
#include <act/runtime/load_model.hpp>
#include <act/serve/completion.hpp>
#include <act/serve/service.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using act::runtime::token_id;
using nlohmann::json;

const std::filesystem::path golden_root = ACT_TEST_GOLDEN_DIR;
const act::runtime::loaded_model& tiny() {
  static const act::runtime::loaded_model loaded =
      act::runtime::load_model((golden_root / "parity" / "tiny-llama-mixed.gguf").string());
  return loaded;
}

json perplexity() {
  std::ifstream in(golden_root / "perplexity" / "golden.json");
  return json::parse(in);
}

struct tiny_service {
  act::runtime::model_calibration calibration;
  std::optional<act::serve::service> service;

  explicit tiny_service(const act::serve::service_options& options = {}) {
    const json golden = perplexity();
    for (const json& pair : golden["heads"])
      calibration.heads.insert(pair[0], pair[1]);
    act::serve::served_models models(tiny().model, *tiny().tokenizer,
                                     {.write =
                                          [](std::span<const act::runtime::chat_turn> turns) {
                                            std::string text;
                                            for (const act::runtime::chat_turn& each : turns)
                                              text += each.text + "\n";
                                            return tiny().tokenizer->encode(text);
                                          },
                                      .ends = {},
                                      .missing = {}});
    models.add("tiny", {});
    models.add("tiny@act", calibration);
    service.emplace(std::move(models), options);
  }

  std::pair<int, json> post(const std::string& path, const json& body) {
    const auto answer = service->answer(path, body.dump(), [] { return false; });
    REQUIRE(answer);
    REQUIRE(!answer->events);
    return {answer->status, json::parse(answer->body)};
  }
  json good(const std::string& path, const json& body) {
    const auto answered = post(path, body);
    CAPTURE(answered.second.dump());
    REQUIRE(answered.first == 200);
    return answered.second;
  }
  std::string refused(const json& body, int status, const std::string& path = "/v1/completions") {
    const auto [got, answer] = post(path, body);
    CHECK(got == status);
    return answer["error"]["message"];
  }
  // The events of a stream, without "data: ".
  std::vector<std::string> events(const std::string& path, const json& body) {
    auto answer = service->answer(path, body.dump(), [] { return false; });
    REQUIRE(answer);
    REQUIRE(answer->events);
    std::string text;
    while (const auto next = answer->events->next([] { return false; }))
      text += *next;
    std::vector<std::string> list;
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 2) {
      end = text.find("\n\n", at);
      REQUIRE(end != std::string::npos);
      REQUIRE(text.compare(at, 6, "data: ") == 0);
      list.push_back(text.substr(at + 6, end - at - 6));
    }
    return list;
  }
};

}  // namespace

TEST_CASE("echoed log-probabilities are PyTorch's, plain and of the whole text calibrated") {
  tiny_service serving;
  const json golden = perplexity();
  std::size_t moved = 0;
  for (const json& family : golden["families"]) {
    for (const json& text : family) {
      json sums;
      for (const char* model : {"tiny", "tiny@act"}) {
        const json choice = serving.good("/v1/completions", {{"model", model},
                                                             {"prompt", text["tokens"]},
                                                             {"echo", true},
                                                             {"logprobs", 3},
                                                             {"max_tokens", 0},
                                                             {"temperature", 0}})["choices"][0];
        const json& scored = choice["logprobs"];
        REQUIRE(scored["token_logprobs"].size() == text["tokens"].size());
        CHECK(scored["token_logprobs"][0].is_null());
        CHECK(scored["top_logprobs"][0].is_null());
        double sum = 0;
        for (std::size_t i = text["first_scored"]; i < scored["token_logprobs"].size(); ++i)
          sum += scored["token_logprobs"][i].get<double>();
        sums.push_back(sum);
        for (std::size_t i = 1; i < scored["tokens"].size(); ++i) {
          const json& top = scored["top_logprobs"][i];
          CHECK(top.size() >= 1);
          CHECK(top.size() <= 4);
          // Beside the token's own, none of which is likelier than the best.
          CHECK(top.contains(scored["tokens"][i].get<std::string>()));
          double best = -1e9;
          for (const json& each : top)
            best = std::max(best, each.get<double>());
          CHECK(scored["token_logprobs"][i] <= best);
        }
      }
      CHECK(sums[0].get<double>() == doctest::Approx(text["plain"].get<double>()).epsilon(2e-5));
      CHECK(sums[1].get<double>() == doctest::Approx(text["calibrated"].get<double>()).epsilon(2e-5));
      if (sums[0] != sums[1]) ++moved;
    }
  }
  CHECK(moved > 0);
}

TEST_CASE("one token behind an echo is scored and counted, as lm-eval asks for it") {
  tiny_service serving;
  const std::vector<token_id> prompt = tiny().tokenizer->encode("what people ask of the long road");
  for (const char* model : {"tiny", "tiny@act"}) {
    const json ask = {{"model", model}, {"prompt", prompt}, {"temperature", 0}, {"max_tokens", 1},
                      {"logprobs", 1},  {"seed", 1234},     {"echo", true}};
    const json answer = serving.good("/v1/completions", ask);
    const json& scored = answer["choices"][0]["logprobs"];
    CHECK(scored["token_logprobs"].size() == prompt.size() + 1);
    CHECK(answer["usage"]["prompt_tokens"] == prompt.size());
    CHECK(answer["usage"]["completion_tokens"] == 1);
    // The same token, with the same number, as where a decoder makes it.
    json alone = ask;
    alone["echo"] = false;
    const json made = serving.good("/v1/completions", alone)["choices"][0];
    CHECK(made["logprobs"]["tokens"][0] == scored["tokens"].back());
    CHECK(made["logprobs"]["token_logprobs"][0].get<double>() ==
          doctest::Approx(scored["token_logprobs"].back().get<double>()).epsilon(1e-5));
    // The greedy token is the likeliest.
    CHECK(scored["top_logprobs"].back().size() == 1);
    json two = ask;
    two["max_tokens"] = 2;
    const json both = serving.good("/v1/completions", two)["choices"][0]["logprobs"];
    CHECK(both["tokens"].size() == prompt.size() + 2);
    CHECK(both["tokens"][prompt.size()] == scored["tokens"].back());
    for (std::size_t i = 1; i < prompt.size(); ++i)
      CHECK(both["token_logprobs"][i] == scored["token_logprobs"][i]);
    // Spellings join to the text.
    std::string text;
    for (std::size_t i = 0; i < prompt.size(); ++i) {
      CHECK(scored["text_offset"][i] == text.size());
      text += scored["tokens"][i].get<std::string>();
    }
    CHECK(answer["choices"][0]["text"].get<std::string>().starts_with(text));
  }
}

TEST_CASE("texts are the runtime's: sampled, stopped, calibrated, from texts or ids, many at a time") {
  tiny_service serving;
  const std::string prompt = "a long and winding road";
  for (const char* model : {"tiny", "tiny@act"}) {
    const bool calibrated = std::string(model) != "tiny";
    for (const double temperature : {0.0, 0.9}) {
      act::runtime::generation_options options{
          .max_new_tokens = 12, .sampling = {.temperature = temperature, .top_p = 0.9, .seed = 5}};
      const auto expected =
          act::runtime::generate(tiny().model, *tiny().tokenizer, tiny().tokenizer->encode(prompt),
                                 calibrated ? serving.calibration : act::runtime::model_calibration{},
                                 options, [](std::string_view) {});
      json ask = {{"model", model}, {"prompt", prompt}, {"max_tokens", 12}, {"temperature", temperature},
                  {"top_p", 0.9},   {"seed", 5}};
      const json answer = serving.good("/v1/completions", ask);
      CHECK(answer["object"] == "text_completion");
      CHECK(answer["model"] == model);
      CHECK(answer["choices"][0]["text"] == expected.text);
      CHECK(answer["choices"][0]["logprobs"].is_null());
      ask["prompt"] = {tiny().tokenizer->encode(prompt), tiny().tokenizer->encode("the weather")};
      const json two = serving.good("/v1/completions", ask);
      REQUIRE(two["choices"].size() == 2);
      CHECK(two["choices"][0]["text"] == expected.text);
      CHECK(two["choices"][1]["index"] == 1);
      ask["prompt"] = prompt;
      ask["echo"] = true;
      CHECK(serving.good("/v1/completions", ask)["choices"][0]["text"] == prompt + expected.text);
      // The text as a stream is the same text.
      ask.erase("echo");
      ask["stream"] = true;
      std::string streamed;
      const std::vector<std::string> events = serving.events("/v1/completions", ask);
      REQUIRE(events.size() >= 2);
      CHECK(events.back() == "[DONE]");
      for (std::size_t i = 0; i + 1 < events.size(); ++i)
        streamed += json::parse(events[i])["choices"][0]["text"].get<std::string>();
      CHECK(streamed == expected.text);
      CHECK(!json::parse(events[events.size() - 2])["choices"][0]["finish_reason"].is_null());
    }
  }
  const json none = serving.good("/v1/completions", {{"model", "tiny"}, {"prompt", "a"}, {"max_tokens", 0}});
  CHECK(none["choices"][0]["text"] == "");
  CHECK(none["choices"][0]["finish_reason"] == "length");
  const json whole =
      serving.good("/v1/completions", {{"model", "tiny"}, {"prompt", prompt}, {"temperature", 0}});
  CHECK(whole["usage"]["completion_tokens"] == 16);
  const std::string text = whole["choices"][0]["text"];
  const std::size_t letter = text.find_first_of("abcdefghijklmnopqrstuvwxyz", 2);
  REQUIRE(letter != std::string::npos);
  const std::string stop = text.substr(letter, 1);
  const json stopped = serving.good(
      "/v1/completions",
      {{"model", "tiny"}, {"prompt", prompt}, {"temperature", 0}, {"stop", json::array({"nowhere", stop})}});
  CHECK(stopped["choices"][0]["text"] == text.substr(0, text.find(stop)));
  CHECK(stopped["choices"][0]["finish_reason"] == "stop");
}

TEST_CASE("a chat, whole and as events") {
  tiny_service serving;
  const json ask = {{"model", "tiny@act"},
                    {"messages", {{{"role", "user"}, {"content", "the weather"}}}},
                    {"max_tokens", 9},
                    {"temperature", 0}};
  const json answer = serving.good("/v1/chat/completions", ask);
  CHECK(answer["object"] == "chat.completion");
  CHECK(answer["choices"][0]["message"]["role"] == "assistant");
  json streamed = ask;
  streamed["stream"] = true;
  streamed["stream_options"] = {{"include_usage", true}};
  const std::vector<std::string> events = serving.events("/v1/chat/completions", streamed);
  REQUIRE(events.size() > 4);
  CHECK(json::parse(events[0])["choices"][0]["delta"] == json{{"role", "assistant"}, {"content", ""}});
  std::string text;
  for (std::size_t i = 0; i + 2 < events.size(); ++i) {
    const json event = json::parse(events[i]);
    CHECK(event["object"] == "chat.completion.chunk");
    text += event["choices"][0]["delta"].value("content", "");
  }
  CHECK(text == answer["choices"][0]["message"]["content"]);
  CHECK(json::parse(events[events.size() - 2])["usage"] == answer["usage"]);
  CHECK(events.back() == "[DONE]");

  act::serve::served_models without(tiny().model, *tiny().tokenizer,
                                    {.write = {}, .ends = {}, .missing = "carries no chat template"});
  without.add("tiny", {});
  act::serve::service textless(std::move(without), {});
  const auto refused = textless.answer("/v1/chat/completions",
                                       R"({"model": "tiny", "messages": [{"role": "user", "content": "a"}]})",
                                       [] { return false; });
  CHECK(refused->status == 400);
  CHECK(refused->body.find("carries no chat template") != std::string::npos);
}

TEST_CASE("what the model can't be asked is refused, with what it can") {
  tiny_service serving;
  const auto& config = tiny().model.config;
  CHECK(serving.refused({{"model", "other"}, {"prompt", "a"}}, 404).find("tiny, tiny@act") !=
        std::string::npos);
  CHECK(serving.refused({{"model", "tiny"}, {"prompt", std::vector<token_id>(config.context + 1, 5)}}, 400)
            .find("context is " + std::to_string(config.context)) != std::string::npos);
  CHECK(serving.refused({{"model", "tiny"}, {"prompt", {config.vocabulary}}}, 400).find("vocabulary") !=
        std::string::npos);
  // A prompt that fills the context has room for one more token, which nothing follows.
  const json full = serving.good("/v1/completions", {{"model", "tiny"},
                                                     {"prompt", std::vector<token_id>(config.context, 5)},
                                                     {"max_tokens", 3},
                                                     {"temperature", 0}});
  CHECK(full["usage"]["completion_tokens"] == 1);
  CHECK(full["choices"][0]["finish_reason"] == "length");
}

TEST_CASE("the tokenizer answers as the model reads") {
  tiny_service serving;
  const json tokens = serving.good("/tokenize", {{"prompt", "the weather"}, {"add_special_tokens", false}});
  CHECK(tokens["tokens"] == tiny().tokenizer->encode("the weather", {}, false));
  CHECK(tokens["count"] == tokens["tokens"].size());
  CHECK(tokens["max_model_len"] == tiny().model.config.context);
  const json back = serving.good("/detokenize", {{"tokens", tokens["tokens"]}});
  CHECK(back["prompt"].get<std::string>().find("the weather") != std::string::npos);
  (void)serving.refused({{"tokens", {-1}}}, 400, "/detokenize");
  (void)serving.refused({{"tokens", {1 << 30}}}, 400, "/detokenize");
  (void)serving.refused({{"prompt", 5}}, 400, "/tokenize");
  const auto info = serving.service->answer("/tokenizer_info", "", [] { return false; });
  CHECK(json::parse(info->body).contains("eos_token"));
}

TEST_CASE("tokens that are parts of characters are spelt as bytes") {
  const auto& by = *tiny().tokenizer;
  std::size_t bytes = 0;
  for (token_id id = 0; static_cast<std::size_t>(id) < by.vocabulary_size(); ++id) {
    const std::string spelling = act::serve::token_spelling(by, std::nullopt, id);
    if (spelling.starts_with("bytes:\\x")) ++bytes;
    CHECK(json(spelling).dump(-1, ' ', false, json::error_handler_t::strict).size() > 1);
  }
  CHECK(bytes > 0);
}

TEST_CASE("every cut and every changed byte of a body is answered or refused in JSON, never worse") {
  tiny_service serving({.limits = {}, .workers = 1, .waiting = 4});
  std::mt19937 draw(20261130);
  const auto tried = [&](const std::string& path, const std::string& body) {
    CAPTURE(body);
    const auto answer = serving.service->answer(path, body, [] { return false; });
    REQUIRE(answer);
    REQUIRE(!answer->events);  // no single byte makes a stream of these
    const json parsed = json::parse(answer->body, nullptr, false);
    REQUIRE(parsed.is_object());
    const bool refused = answer->status == 400 || answer->status == 404;
    REQUIRE((answer->status == 200 || refused));
    CHECK(parsed.contains("error") == refused);
  };
  for (const auto& [where, whole] :
       {std::pair<std::string, json>{
            "/v1/completions",
            {{"model", "tiny@act"}, {"prompt", {5, 9}}, {"max_tokens", 1}, {"logprobs", 1}, {"echo", true}}},
        {"/v1/chat/completions",
         {{"model", "tiny"},
          {"max_tokens", 1},
          {"messages", json::array({{{"role", "user"}, {"content", "a"}}})}}},
        {"/tokenize", {{"model", "tiny"}, {"prompt", "a \u00e9"}}}}) {
    const std::string& path = where;
    CAPTURE(path);
    const std::string body = whole.dump();
    for (std::size_t cut = 0; cut < body.size(); ++cut)
      tried(path, body.substr(0, cut));
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const char byte : {'\0', '"', '9', '-', static_cast<char>(draw()),
                              static_cast<char>(body[at] ^ (1 << draw() % 8))}) {
        std::string changed = body;
        changed[at] = byte;
        tried(path, changed);
      }
    }
  }
}

TEST_CASE("a request that takes too long is told so, in a stream too") {
  tiny_service serving(
      {.limits = {}, .workers = 1, .waiting = 4, .time_limit = std::chrono::milliseconds(0)});
  CHECK(serving.refused({{"model", "tiny"}, {"prompt", "a"}}, 503).find("takes longer") != std::string::npos);
  const std::vector<std::string> events =
      serving.events("/v1/completions", {{"model", "tiny"}, {"prompt", "a"}, {"stream", true}});
  REQUIRE(events.size() == 1);
  CHECK(json::parse(events[0])["error"]["message"].get<std::string>().find("takes longer") !=
        std::string::npos);
}
