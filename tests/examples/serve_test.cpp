// act-serve as a process, with clients that behave and clients that don't.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "examples/chat_model.hpp"
#include "examples/process.hpp"
#include "examples/served.hpp"
#include "examples/tiny_task.hpp"
#include "sanitized.hpp"

using act_test::check_one_line;
using act_test::http_answer;
using act_test::http_client;
using act_test::run_program;
using act_test::served;
using nlohmann::json;

namespace {

struct tiny_files {
  act_test::temporary_folder folder;
  std::string model = folder.write("M.gguf", act_test::tiny_chat_model());
  std::string heads = folder.write("heads.json", act_test::tiny_heads);

  [[nodiscard]] std::vector<std::string> with(std::vector<std::string> more) const {
    more.insert(more.begin(), {"--model", model, "--name", "tiny", "--heads", heads, "--quiet"});
    return more;
  }
};

std::string ask(const std::string& prompt, int tokens, const std::string& more = {}) {
  return R"({"model": "tiny@act", "temperature": 0, "prompt": ")" + prompt + R"(", "max_tokens": )" +
         std::to_string(tokens) + more + "}";
}

bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 6000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

bool idle(const served& server) {
  const http_answer health = server.get("/health");
  return health.status == 200 && json::parse(health.body)["running"] == 0 &&
         json::parse(health.body)["waiting"] == 0;
}

}  // namespace

TEST_CASE(
    "act-serve says where it listens and what it serves, answers as act-generate, and ends by a signal") {
  const tiny_files files;
  served server(files.with({"--heads", "own=" + files.heads}));
  CHECK(server.said() == "act-serve: http://127.0.0.1:" + std::to_string(server.port()) +
                             " serves tiny, tiny@act, tiny@own\n");
  const json models = json::parse(server.get("/v1/models").body);
  CHECK(models["data"].size() == 3);
  CHECK(models["data"][1]["id"] == "tiny@act");

  const auto generated = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--model", files.model, "--max-new-tokens", "12", "--quiet"});
    const auto run = run_program("act-generate", more);
    REQUIRE(run.exit_code == 0);
    return run.out;
  };
  for (const char* model : {"tiny", "tiny@act"}) {
    std::vector<std::string> more{"--prompt", "the weather"};
    if (std::string(model) != "tiny") more.insert(more.end(), {"--heads", files.heads});
    const http_answer text = server.post(
        "/v1/completions",
        json({{"model", model}, {"prompt", "the weather"}, {"max_tokens", 12}, {"temperature", 0}}).dump());
    REQUIRE(text.status == 200);
    CHECK(json::parse(text.body)["choices"][0]["text"].get<std::string>() + "\n" == generated(more));
    more.emplace_back("--chat");
    const json chat = {{"model", model},
                       {"messages", {{{"role", "user"}, {"content", "the weather"}}}},
                       {"max_tokens", 12},
                       {"temperature", 0}};
    const http_answer said = server.post("/v1/chat/completions", chat.dump());
    REQUIRE(said.status == 200);
    const std::string answer = json::parse(said.body)["choices"][0]["message"]["content"];
    CHECK(answer + "\n" == generated(more));
    json streamed = chat;
    streamed["stream"] = true;
    const http_answer events = server.post("/v1/chat/completions", streamed.dump());
    CHECK(events.head.find("text/event-stream") != std::string::npos);
    CHECK(events.body.find("data: [DONE]\n\n") != std::string::npos);
  }
  CHECK(server.stop(SIGTERM) == 0);
  CHECK(server.errors().empty());

  // A model that can't hold a chat says so, to clients without where its file is.
  served silent({"--model", act_test::tiny_model, "--name", "tiny"});
  CHECK(silent.errors().find("note: no chats: " + act_test::tiny_model) != std::string::npos);
  const http_answer refused = silent.post(
      "/v1/chat/completions", R"({"model": "tiny", "messages": [{"role": "user", "content": "a"}]})");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("--chat-template") != std::string::npos);
  CHECK(refused.body.find(".gguf") == std::string::npos);
  CHECK(soon(
      [&] { return silent.errors().find("act-serve: /v1/chat/completions: 400, ") != std::string::npos; }));
}

TEST_CASE("act-serve's wrong usage is one line") {
  const tiny_files files;
  const auto with = [&](std::vector<std::string> more) {
    return run_program("act-serve", files.with(std::move(more)));
  };
  check_one_line(with({"--heads", files.heads}), 2, "'tiny@act' is given twice");
  check_one_line(with({"--heads", "no such file"}), 1, "no such file");
  check_one_line(with({"--host", "192.0.2.1", "--port", "0"}), 1, "can't be listened at");
  check_one_line(with({"--port", "70000"}), 2, "--port");
  check_one_line(with({"--timeout", "0"}), 2, "--timeout");
  check_one_line(with({"--client-timeout", "nan"}), 2, "--client-timeout");
  check_one_line(run_program("act-serve", {"--model", files.model, "--name", "a b", "--quiet"}), 2,
                 "model name");
  check_one_line(with({"--chat-template", "none"}), 2, "none");
  check_one_line(run_program("act-serve", {"--model", files.model, "--beta", "0.3", "--quiet"}), 2,
                 "--beta: says how heads are calibrated");
  const served first(files.with({}));
  check_one_line(with({"--port", std::to_string(first.port())}), 1, "is the port taken");
}

TEST_CASE("requests that are none, or too much, are refused and harm nobody") {
  const tiny_files files;
  served server(files.with({"--max-body", "2000", "--client-timeout", "1"}));
  const std::string head = "POST /v1/completions HTTP/1.1\r\nContent-Type: application/json\r\n";
  const std::string long_text(100'000, 'a');
  std::string chunks;
  for (int i = 0; i < 40; ++i)
    chunks += "64\r\n" + std::string(100, ' ') + "\r\n";
  std::string ranges = "0-1";
  while (ranges.size() < 8000)
    ranges += ",0-1";
  std::string many_headers;
  for (int i = 0; i < 3000; ++i)
    many_headers += "X-" + std::to_string(i) + ": " + std::string(40, 'b') + "\r\n";
  for (const auto& [sent, status] : std::vector<std::pair<std::string, int>>{
           {"\r\n\r\n", 400},
           {"nonsense\r\n\r\n", 400},
           {std::string("\0\1\2\3\r\n\r\n", 8), 400},
           {"GET\r\n\r\n", 400},
           {"GET /health HTTP/9.9\r\n\r\n", 400},
           {"GET " + std::string(9000, '/') + " HTTP/1.1\r\n\r\n", 414},
           {"GET /health HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 400},
           {"GET /health HTTP/1.1\r\n" + many_headers + "\r\n", 400},
           {"GET /health HTTP/1.1\r\nRange: bytes=" + ranges + "\r\n\r\n", 200},
           {"GET /health HTTP/1.1\r\nRange: bytes=0-3\r\n\r\n", 200},
           {"GET /etc/passwd HTTP/1.1\r\n\r\n", 404},
           {"GET /../../../../etc/passwd HTTP/1.1\r\n\r\n", 404},
           {"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n\r\n", 404},
           {"GET /v1/models/../../M.gguf HTTP/1.1\r\n\r\n", 404},
           {"PUT /v1/completions HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405},
           {"DELETE /v1/models HTTP/1.1\r\n\r\n", 405},
           {"GET /v1/completions HTTP/1.1\r\n\r\n", 405},
           {head + "\r\n", 411},
           {head + "Content-Length: 5000\r\n\r\n" + long_text, 413},
           {head + "Content-Length: 99999999999999999999999\r\n\r\n", 413},
           {head + "Content-Length: -5\r\n\r\n", 400},
           {head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400},
           {head + "Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n", 413},
           {head + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n", 413},
           {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
           {head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
           {head + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01", 415},
           {"POST /v1/completions HTTP/1.1\r\nContent-Type: multipart/form-data; "
            "boundary=x\r\nContent-Length: "
            "4\r\n\r\nabcd",
            415},
           {head + "Content-Length: 4\r\n\r\n{\"a\"", 400},
           {head + "Content-Length: 100\r\n\r\n{", 408},  // whose body doesn't come
           {"GET /health HTTP/1.1\r\nHost: lo", 408}}) {
    const std::string& request = sent;
    CAPTURE(request.substr(0, 160));
    const http_answer answer = server.raw(request);
    CHECK(answer.status == status);
    if (status >= 400) CHECK(json::parse(answer.body)["error"]["message"].is_string());
  }
  CHECK(server.raw("GET /hea").status == 0);  // not even a line: closed without a word
  // In chunks within the limit it is a request like any other, and so is one that asks before it sends.
  const std::string body = ask("a road", 3);
  const http_answer chunked =
      server.raw(head + "Transfer-Encoding: chunked\r\n\r\n1\r\n" + body.substr(0, 1) + "\r\n" +
                 [&] {
                   char size[16];
                   std::snprintf(size, sizeof size, "%zx", body.size() - 1);
                   return std::string(size);
                 }() +
                 "\r\n" + body.substr(1) + "\r\n0\r\n\r\n");
  CHECK(chunked.status == 200);
  {
    const http_client client(server.port());
    client.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    const std::string go_on =
        client.receive([](const std::string& text) { return text.find("\r\n\r\n") != std::string::npos; });
    CHECK(go_on.starts_with("HTTP/1.1 100 "));
    client.send(body);
    CHECK(client.answer().status == 200);
  }
  CHECK(server.post("/v1/completions", body).status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("a client that leaves stops its text, and SIGTERM lets the others' end") {
  const tiny_files files;
  const std::string endless = files.folder.write("endless.gguf", act_test::tiny_chat_model(1 << 20));
  served server(
      {"--model", endless, "--name", "tiny", "--heads", files.heads, "--quiet", "--max-tokens", "1000000"});
  const std::string stream = ask("a road", 1'000'000, R"(, "stream": true)");
  const auto begun = [](const std::string& text) { return text.find("data: ") != std::string::npos; };
  {
    const http_client leaves(server.port());
    leaves.send(act_test::post_request("/v1/completions", stream));
    CHECK(begun(leaves.receive(begun)));
    CHECK(!idle(server));
  }
  CHECK(soon([&] { return idle(server); }));
  {
    const http_client leaves(server.port());  // without a stream, too
    leaves.send(act_test::post_request("/v1/completions", ask("a road", 1'000'000)));
    CHECK(soon([&] { return !idle(server); }));
  }
  CHECK(soon([&] { return idle(server); }));

  // What takes too long to end is told so, what waits is refused, what sends nothing is closed.
  const http_client works(server.port()), waits(server.port()), silent(server.port());
  works.send(act_test::post_request("/v1/completions", stream));
  CHECK(begun(works.receive(begun)));
  waits.send(act_test::post_request("/v1/completions", ask("a road", 3)));
  CHECK(soon([&] { return json::parse(server.get("/health").body)["waiting"] == 1; }));
  server.tell(SIGTERM);
  CHECK(waits.answer().status == 503);
  CHECK(silent.answer().status != 200);
  const std::string rest = works.receive();
  CHECK(rest.find("is being stopped") != std::string::npos);
  CHECK(rest.find("[DONE]") == std::string::npos);
  CHECK(server.wait() == 0);
}

TEST_CASE("a load with faults loses nothing and leaks nothing") {
  const tiny_files files;
  served server(
      files.with({"--parallel", "2", "--queue", "3", "--connections", "8", "--client-timeout", "0.5"}));
  const std::string plain = R"({"model": "tiny", "prompt": ["a road", "the weather"], "max_tokens": 8,
                               "temperature": 0, "echo": true, "logprobs": 2})";
  const std::string calibrated = ask("a long and winding road", 24);
  const std::string expected_plain =
      json::parse(server.post("/v1/completions", plain).body)["choices"].dump();
  const std::string expected = json::parse(server.post("/v1/completions", calibrated).body)["choices"].dump();

  const int rounds = act_test::sanitized ? 1 : 3;
  const auto load = [&] {
    std::atomic<int> answered{0}, wrong{0}, turned_away{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> good, bad;
    constexpr int clients = 16, each = 8;
    for (int client = 0; client < clients; ++client) {
      good.emplace_back([&, client] {
        for (int i = 0; i < each; ++i) {
          const bool of_plain = (client + i) % 2 == 0;
          http_answer answer;
          // Where there is no room now it says so, and when to come again.
          while ((answer = server.post("/v1/completions", of_plain ? plain : calibrated)).status == 503) {
            ++turned_away;
            if (answer.head.find("Retry-After: ") == std::string::npos) ++wrong;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
          if (answer.status != 200) {
            ++wrong;
            continue;
          }
          const json choices = json::parse(answer.body, nullptr, false)["choices"];
          if (choices.dump() != (of_plain ? expected_plain : expected)) ++wrong;
          ++answered;
        }
      });
    }
    const auto in_the_meantime = [&](const std::function<void()>& fault) {
      bad.emplace_back([&over, fault] {
        while (!over) {
          fault();
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
      });
    };
    in_the_meantime([&] {  // leaves in the middle of a stream
      const http_client client(server.port());
      client.send(act_test::post_request("/v1/completions", ask("a road", 500, R"(, "stream": true)")));
      (void)client.receive([](const std::string& text) { return text.find("data: ") != std::string::npos; });
    });
    in_the_meantime([&] {  // leaves before its body is whole
      const http_client client(server.port());
      client.send(act_test::post_request("/v1/completions", calibrated).substr(0, 150));
    });
    in_the_meantime([&] {  // sends a byte at a time, too slowly
      const http_client client(server.port());
      const std::string request = act_test::post_request("/v1/completions", calibrated);
      for (std::size_t i = 0; i < 12 && !over; ++i) {
        client.send(request.substr(i, 1));
        std::this_thread::sleep_for(std::chrono::milliseconds(80));
      }
    });
    in_the_meantime([&] {  // too long, and no JSON
      (void)server.post("/v1/completions", std::string(2'000'000, '['));
      (void)server.post("/v1/completions", "{\"model\": \"tiny\", \"prompt\": \"\\ud800\"}");
      (void)server.raw("x\r\n\r\n");
    });
    in_the_meantime([&] {  // asks and doesn't read
      const http_client client(server.port());
      client.send(act_test::post_request("/v1/completions", ask("a road", 400, R"(, "stream": true)")));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    });
    for (std::thread& one : good)
      one.join();
    over = true;
    for (std::thread& one : bad)
      one.join();
    CHECK(answered == clients * each);
    CHECK(wrong == 0);
    MESSAGE("answered " << answered.load() << ", told to come again " << turned_away.load());
  };
  CHECK(soon([&] { return idle(server); }));
  const std::size_t files_before = server.open_files();
  load();
  CHECK(soon([&] { return idle(server) && server.open_files() <= files_before + 1; }));
  const std::size_t memory = server.resident();
  for (int round = 1; round < rounds; ++round)
    load();
  CHECK(soon([&] { return idle(server) && server.open_files() <= files_before + 1; }));
  // The first load made the threads and their memory; those behind it take no more.
  if (rounds > 1) CHECK(server.resident() < memory + 8'000);
  CHECK(server.stop() == 0);
  CHECK(server.errors().empty());
}
