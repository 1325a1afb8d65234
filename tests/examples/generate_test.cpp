// act-generate as a process.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"
#include "runtime/parity_golden.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

const std::string generated_from =
    "the weather or what people ask of a long and winding road the weather or what people";

act_test::process_result generate(std::vector<std::string> more,
                                  const std::string& model = act_test::tiny_model) {
  more.insert(more.begin(), {"--model", model});
  return run_program("act-generate", more);
}

std::string joined(const std::vector<act::runtime::token_id>& tokens) {
  std::string text;
  for (const act::runtime::token_id each : tokens)
    text += std::to_string(each) + " ";
  return text;
}

double difference(const std::vector<double>& a, const std::vector<double>& b, double largest) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst / largest;
}

}  // namespace

TEST_CASE("what a model's files say and another overrules is a line on stderr, but for --quiet") {
  const act_test::temporary_folder folder;
  const std::filesystem::path model = folder / "model";
  std::filesystem::copy(act_test::parity_folder / "tiny-llama-new-config", model);
  (void)folder.write("model/vocab.json", R"({"a":0,"b":1})");
  (void)folder.write("model/merges.txt", "");
  (void)folder.write("model/tokenizer_config.json", R"({"pad_token":"<pad>"})");
  const auto told = generate({"--prompt", "ab", "--max-new-tokens", "1"}, model.string());
  CHECK(told.exit_code == 0);
  CHECK(told.err.starts_with("act-generate: note: "));
  CHECK(told.err.find("the special token '<pad>' isn't in") != std::string::npos);
  CHECK(std::count(told.err.begin(), told.err.end(), '\n') == 2);  // and how fast it was
  const auto quiet = generate({"--prompt", "ab", "--max-new-tokens", "1", "--quiet"}, model.string());
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.err.empty());
}

TEST_CASE("act-generate prints the continuation, and the JSON says how it was made") {
  const act_test::temporary_folder folder;
  const auto run =
      generate({"--prompt", generated_from, "--max-new-tokens", "24", "--json", folder / "result.json"});
  CHECK(run.err.starts_with(
      "act-generate: " + std::to_string(parsed(folder / "result.json")["tokens"].size()) + " tokens"));
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(run.out == result["text"].get<std::string>() + "\n");
  CHECK(result["tokens"].size() <= 24);
  CHECK(!result["prompt_tokens"].empty());
  CHECK(result["heads"] == 0);
  for (const char* key :
       {"version", "revision", "compiler", "flags", "cpu", "threads", "options", "seconds"}) {
    CHECK(result["provenance"].contains(key));
  }
  const std::string file = folder.write("prompt.txt", generated_from);
  CHECK(generate({"--prompt-file", file, "--max-new-tokens", "24", "--threads", "2"}).out == run.out);
}

TEST_CASE("act-generate draws by seed and ends before a stop string") {
  const auto with = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"--prompt", generated_from, "--max-new-tokens", "40"});
    const auto run = generate(more);
    CHECK(run.exit_code == 0);
    return run.out;
  };
  const std::string seven = with({"--temperature", "1.2", "--top-p", "0.95", "--seed", "7"});
  CHECK(seven == with({"--temperature", "1.2", "--top-p", "0.95", "--seed", "7"}));
  CHECK(seven != with({"--temperature", "1.2", "--top-p", "0.95", "--seed", "8"}));
  CHECK(with({}) == with({"--temperature", "1.2", "--top-k", "1", "--seed", "3"}));
  const std::string whole = with({});
  // The tiny model writes bytes at random: stop at the first pair of letters.
  const auto letter = [](char c) { return c >= 'A' && c <= 'z'; };
  const auto pair =
      std::adjacent_find(whole.begin(), whole.end(), [&](char a, char b) { return letter(a) && letter(b); });
  REQUIRE(pair != whole.end());
  const std::string stop(pair, pair + 2);
  CHECK(with({"--stop", "never in there", "--stop", stop}) == whole.substr(0, whole.find(stop)) + "\n");
  CHECK(generate({"--prompt", generated_from, "--max-new-tokens", "0"}).out == "\n");
}

TEST_CASE("--stop reads \\n as a line break, as the help writes it") {
  // Which line break the tiny model makes, if any, depends on the seed: the first that makes one behind a
  // whole character is taken.
  const auto with = [](const std::string& seed, std::vector<std::string> more) {
    more.insert(more.begin(), {"--prompt", generated_from, "--max-new-tokens", "200", "--temperature", "1.5",
                               "--seed", seed});
    const auto run = generate(more);
    CHECK(run.exit_code == 0);
    return run.out;
  };
  std::string whole, seed;
  std::size_t end = 0;
  for (int each = 0; each < 50 && end == 0; ++each) {
    seed = std::to_string(each);
    whole = with(seed, {});
    end = whole.find('\n') + 1;
    if (end < 2 || end == whole.size() || static_cast<unsigned char>(whole[end - 2]) >= 0x80) end = 0;
  }
  REQUIRE(end > 0);
  CHECK(with(seed, {"--stop", "\\n"}) == whole.substr(0, end));
  CHECK(with(seed, {"--stop", "\\\\n"}) == whole);  // a backslash and an n, which never come
  for (const char* unknown : {"\\x", "a\\"})
    check_one_line(generate({"--prompt", "a", "--stop", unknown}), 2, "--stop");
  CHECK(run_program("act-generate", {"--help"}).out.find("--stop '\\n\\n'") != std::string::npos);
}

TEST_CASE("a cache of halves is recorded") {
  const act_test::temporary_folder folder;
  const auto run = generate({"--prompt", generated_from, "--max-new-tokens", "5", "--cache-type", "f16",
                             "--json", folder / "made.json"});
  REQUIRE(run.exit_code == 0);
  CHECK(parsed(folder / "made.json")["cache_type"] == "f16");
}

TEST_CASE("with a cache that forgets, a text outgrows the model's context") {
  const act_test::temporary_folder folder;
  const auto made = [&](const std::string& cache, int seed) {
    const auto run =
        generate({"--prompt", generated_from, "--max-new-tokens", "300", "--cache", cache, "--temperature",
                  "1", "--seed", std::to_string(seed), "--json", folder / "made.json"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code == 0);
    return parsed(folder / "made.json");
  };
  CHECK_FALSE(made("all", 3).contains("cache"));
  std::size_t longest = 0;
  for (int seed = 1; seed <= 6; ++seed) {  // some draw an end before
    const json kept = made("window:60+sinks:4", seed);
    CHECK(kept["cache"] == "window:60+sinks:4");
    CHECK(kept["end"] != "context");
    longest = std::max(longest, kept["tokens"].size() + kept["prompt_tokens"].size());
  }
  CHECK(longest > 256);  // the model's context
  check_one_line(generate({"--prompt", generated_from, "--cache", "window:60", "--cache-type", "f16"}), 2,
                 "--cache all");
  const auto wrong = generate({"--prompt", generated_from, "--cache", "last:60"});
  CHECK(wrong.exit_code == 2);
  CHECK(wrong.err.find("window:N+sinks:S") != std::string::npos);
}

TEST_CASE("act-generate calibrates heads, with beta 1 it changes nothing") {
  const act_test::temporary_folder folder;
  const std::string heads = folder.write(
      "heads.json", R"({"options": {"alpha": 1.1}, "heads": [[0, 0], [0, 3], [1, 2], [2, 3], [3, 1]]})");
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--prompt", generated_from, "--max-new-tokens", "40", "--temperature", "1",
                               "--seed", "5", "--quiet", "--json", folder / "result.json"});
    const auto run = generate(more);
    CHECK(run.err == "");
    CHECK(run.exit_code == 0);
    return run.out;
  };
  const std::string plain = with({});
  const std::string calibrated = with({"--heads", heads});
  CHECK(parsed(folder / "result.json")["heads"] == 5);
  CHECK(parsed(folder / "result.json")["options"]["alpha"] == 1.1);
  CHECK(calibrated != plain);
  CHECK(with({"--heads", heads, "--beta", "1"}) == plain);
}

TEST_CASE("--tokens writes the logits that transformers has, and needs no tokenizer") {
  const act_test::temporary_folder folder;
  const auto golden = act_test::read_parity_golden(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity" /
                                                   "tiny-llama-mixed.json");
  // The same file with a tokenizer nobody has.
  std::string unknown = act_test::read_file(act_test::tiny_model);
  const std::string key = "tokenizer.ggml.model";
  const std::size_t name = unknown.find(key) + key.size() + 4 + 8;
  unknown.replace(name, 2, "zz");
  const std::string model = folder.write("unknown-tokenizer.gguf", unknown);
  check_one_line(generate({"--prompt", "the"}, model), 1, "unknown-tokenizer.gguf");

  const auto& [case_name, calibration] = *golden.cases.find("several heads");
  json heads{{"heads", json::array()}};
  for (const act::layer_head& each : calibration.heads)
    heads["heads"].push_back({each.layer, each.head});
  const std::string file = folder.write("heads.json", heads.dump());
  for (const auto& each : golden.prompts) {
    const std::vector<std::string> arguments{"--tokens", joined(each.tokens), "--logits",
                                             folder / "out.json"};
    REQUIRE(generate(arguments, model).exit_code == 0);
    const json plain = parsed(folder / "out.json");
    CHECK(!plain.contains("calibrated"));
    auto more = arguments;
    more.insert(more.end(), {"--heads", file, "--quiet"});
    REQUIRE(generate(more, model).exit_code == 0);
    const json both = parsed(folder / "out.json");
    CHECK(both["baseline"] == plain["baseline"]);
    CHECK(difference(both["baseline"].get<std::vector<double>>(), each.plain, each.plain_largest) < 2e-4);
    const auto expected =
        std::find_if(each.cases.begin(), each.cases.end(),
                     [&wanted = case_name](const auto& other) { return other.name == wanted; });
    REQUIRE(expected != each.cases.end());
    CHECK(difference(both["calibrated"].get<std::vector<double>>(), expected->logits, expected->largest) <
          2e-4);
  }
}

TEST_CASE("act-generate has help with examples and a version") {
  const auto help = run_program("act-generate", {"--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.out.find("Examples:") != std::string::npos);
  CHECK(run_program("act-generate", {"--version"}).exit_code == 0);
}

TEST_CASE("--mt-bench answers every turn in FastChat's line format") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
    return;
  }
  const act_test::temporary_folder folder;
  const std::string questions = folder.write(
      "question.jsonl",
      R"({"question_id": 81, "category": "writing", "turns": ["Name a fruit.", "Name another one."]})"
      "\n"
      R"({"question_id": 90, "category": "math", "turns": ["What is 2 + 2?"]})"
      "\n");
  const std::vector<std::string> arguments{"--mt-bench",       questions, "--answers", folder / "a.jsonl",
                                           "--max-new-tokens", "5",       "--json",    folder / "r.json"};
  REQUIRE(generate(arguments, ACT_TEST_MODEL).exit_code == 0);
  std::istringstream in(act_test::read_file(folder / "a.jsonl"));
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(json::parse(line));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["question_id"] == 81);
  CHECK(lines[0]["choices"][0]["turns"].size() == 2);
  CHECK(lines[1]["choices"][0]["turns"].size() == 1);
  CHECK(!lines[1]["choices"][0]["turns"][0].get<std::string>().empty());
  CHECK(lines[0]["answer_id"] != lines[1]["answer_id"]);
  CHECK(parsed(folder / "r.json")["questions"] == 2);
  // The first answer is what the same question gives in a chat of its own.
  const auto alone =
      generate({"--chat", "--prompt", "Name a fruit.", "--max-new-tokens", "5"}, ACT_TEST_MODEL);
  CHECK(alone.out.find(lines[0]["choices"][0]["turns"][0].get<std::string>()) != std::string::npos);
  const std::string bad = folder.write("bad.jsonl", R"({"question_id": 81})");
  check_one_line(generate({"--mt-bench", bad, "--answers", folder / "b.jsonl"}, ACT_TEST_MODEL), 1,
                 "bad.jsonl");
}

TEST_CASE("--mt-bench answers ERROR where a question doesn't fit, and goes on") {
  const act_test::temporary_folder folder;
  std::string lines;
  for (const char* question : {R"("question_id": 1, "category": "math", "turns": ["a", "b"])",
                               R"("question_id": 2, "category": "math", "turns": ["WORDS", "b"])",
                               R"("question_id": 3, "category": "writing", "turns": ["a"])"}) {
    lines += "{" + std::string(question) + "}\n";
  }
  std::string words;
  for (int word = 0; word < 2000; ++word)
    words += "word ";
  lines.replace(lines.find("WORDS"), 5, words);
  const std::string questions = folder.write("question.jsonl", lines);
  int runs = 0;
  const auto answer = [&](std::vector<std::string> more) {
    const std::string answers = folder / (std::to_string(runs++) + ".jsonl");
    more.insert(more.begin(), {"--chat-template", "smollm2", "--mt-bench", questions, "--answers", answers,
                               "--max-new-tokens", "3", "--json", folder / "r.json"});
    const auto run = generate(more);
    CHECK(run.err == "");
    CHECK(run.exit_code == 0);
    CHECK(run.out.find("3 questions answered") != std::string::npos);
    CHECK(run.out.find("1 of them with ERROR") != std::string::npos);
    return act_test::parsed_lines(answers);
  };
  const std::vector<json> greedy = answer({});
  REQUIRE(greedy.size() == 3);
  CHECK(greedy[1]["choices"][0]["turns"] == json::array({"ERROR", "ERROR"}));
  for (const std::size_t whole : {0u, 2u}) {
    for (const json& turn : greedy[whole]["choices"][0]["turns"])
      CHECK(turn != "ERROR");
  }
  CHECK(greedy[0]["model_id"] == "tiny-llama-mixed");
  CHECK(parsed(folder / "r.json")["too_long"] == json::array({2}));

  // At FastChat's temperatures mathematics stays greedy and writing is drawn.
  std::set<std::string> drawn;
  for (const char* seed : {"1", "2", "3", "4", "5"}) {
    const std::vector<json> answers = answer({"--category-temperatures", "--seed", seed});
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]["choices"] == greedy[0]["choices"]);
    drawn.insert(answers[2]["choices"].dump());
  }
  CHECK(drawn.size() > 1);
  check_one_line(generate({"--prompt", "a", "--category-temperatures"}), 2, "--mt-bench");
  check_one_line(generate({"--mt-bench", questions, "--answers", folder / "b", "--category-temperatures",
                           "--temperature", "1"}),
                 2, "--temperature");

  // A pipe gets each line once.
  std::filesystem::create_symlink("/proc/self/fd/1", folder / "stdout");
  const auto piped = generate({"--chat-template", "smollm2", "--mt-bench", questions, "--answers",
                               folder / "stdout", "--max-new-tokens", "3"});
  CHECK(piped.exit_code == 0);
  CHECK(std::count(piped.out.begin(), piped.out.end(), '{') == 6);  // a line and its choices, three times
}

TEST_CASE("--mt-bench keeps the answers that the same command gave, and refuses others'") {
  const act_test::temporary_folder folder;
  std::string asked;
  for (int id = 1; id <= 4; ++id)
    asked += "{\"question_id\": " + std::to_string(id) +
             ", \"category\": \"math\", \"turns\": [\"a road\", \"b\"]}\n";
  const std::string questions = folder.write("question.jsonl", asked), answers = folder / "a.jsonl";
  const auto answer = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--chat-template", "smollm2", "--mt-bench", questions, "--answers", answers,
                               "--max-new-tokens", "3", "--quiet"});
    return generate(more);
  };
  REQUIRE(answer({}).exit_code == 0);
  const std::string whole = act_test::read_file(answers);
  const auto line = [&](std::size_t number) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < number; ++i)
      at = whole.find('\n', at) + 1;
    return whole.substr(at, whole.find('\n', at) + 1 - at);
  };
  // The third and the first are there: the other two are answered as before, but for their time.
  (void)folder.write("a.jsonl", line(2) + line(0));
  const auto rest = answer({"--json", folder / "r.json"});
  CHECK(rest.out.find("4 questions answered in " + answers + ", 2 of them before") != std::string::npos);
  const std::string again = act_test::read_file(answers);
  CHECK(again.starts_with(line(0)));
  CHECK(again.find(line(2)) != std::string::npos);
  const auto untimed = [](const std::string& text) { return text.substr(0, text.find("\"tstamp\"")); };
  CHECK(untimed(again.substr(line(0).size())) == untimed(line(1)));
  CHECK(std::count(again.begin(), again.end(), '\n') == 4);
  CHECK(parsed(folder / "r.json")["answered_before"] == 2);
  REQUIRE(answer({}).exit_code == 0);  // nothing is left to do
  CHECK(act_test::read_file(answers) == again);
  // Other heads, options or questions.
  const std::string heads = folder.write("heads.json", act_test::tiny_heads);
  for (const std::vector<std::string>& other : {std::vector<std::string>{"--temperature", "0", "--seed", "2"},
                                                {"--heads", heads},
                                                {"--temperature", "1"},
                                                {"--system", "b"}}) {
    check_one_line(answer(other), 1, "a.jsonl: answers question 1 by another model");
    CHECK(act_test::read_file(answers) == again);
  }
  (void)folder.write("question.jsonl", asked.substr(asked.find('\n') + 1));
  check_one_line(answer({}), 1, "answers question 1");
  (void)folder.write("a.jsonl", line(0) + line(0));
  check_one_line(answer({}), 1, "a.jsonl:2: question 1 is answered twice");
  (void)folder.write("a.jsonl", "{}\n");
  check_one_line(answer({}), 1, "a.jsonl:1: ");
}

TEST_CASE("act-generate says what is wrong") {
  const act_test::temporary_folder folder;
  check_one_line(generate({}), 2, "--prompt");
  check_one_line(generate({"--prompt", "a", "--tokens", "1", "--logits", folder / "l"}), 2, "--prompt");
  check_one_line(generate({"--tokens", "1"}), 2, "--logits");
  check_one_line(generate({"--mt-bench", "q.jsonl"}), 2, "--answers");
  check_one_line(generate({"--prompt", "a", "--answers", "a.jsonl"}), 2, "--mt-bench");
  check_one_line(generate({"--prompt", "a", "--logits", folder / "l"}), 2, "--tokens");
  check_one_line(generate({"--prompt", "a", "--top-p", "2"}), 2, "top_p");
  for (const std::vector<std::string>& drawing :
       {std::vector<std::string>{"--top-p", "0.9"}, {"--top-k", "5"}, {"--seed", "7"}}) {
    std::vector<std::string> asked{"--prompt", "a"};
    asked.insert(asked.end(), drawing.begin(), drawing.end());
    check_one_line(generate(asked), 2, drawing[0] + ": is of draws, and without --temperature");
    asked.insert(asked.end(), {"--temperature", "0", "--max-new-tokens", "0"});  // the greedy end of a series
    CHECK(generate(asked).exit_code == 0);
  }
  check_one_line(generate({"--prompt", "a", "--stop", ""}), 2, "stop");
  check_one_line(generate({"--prompt", "a", "--system", "b"}), 2, "--chat");
  check_one_line(generate({"--prompt", "a", "--chat-template", "none"}), 2, "smollm2");
  check_one_line(generate({"--prompt", "a", "--chat"}), 1, "--chat-template");
  check_one_line(generate({"--tokens", "1 x", "--logits", folder / "l"}), 1, "'x'");
  check_one_line(generate({"--tokens", " ", "--logits", folder / "l"}), 1, "--tokens");
  check_one_line(generate({"--tokens", "1 999999", "--logits", folder / "l"}), 1, "999999");
  check_one_line(generate({"--prompt-file", folder / "none.txt"}), 1, "none.txt");
  check_one_line(generate({"--prompt", "\xff"}), 1, "UTF-8");
  const std::string latin1 = folder.write("latin1.txt", "caf\xe9");
  check_one_line(generate({"--prompt-file", latin1}), 1, latin1 + ": isn't UTF-8 at byte 3");
  const std::string some = folder.write("some.json", act_test::tiny_heads);
  check_one_line(
      generate({"--prompt", "a", "--heads", some, "--redistribution", "subset", "--subset", "question"}), 2,
      "--subset");
  const std::string found = folder.write(
      "found.json", R"({"heads": [[1, 0]], "options": {"redistribution": "subset", "subset": "choices"}})");
  check_one_line(generate({"--prompt", "a", "--heads", found}), 2, "found.json: options.subset");
  const std::string heads = folder.write("heads.json", R"({"heads": [[1, 99]]})");
  check_one_line(generate({"--prompt", "a", "--heads", heads}), 1, "[1, 99]");
  // Nothing that is read is written over, and what can't be written is noticed before the work.
  const std::string questions =
      folder.write("q.jsonl", R"({"question_id": 1, "category": "math", "turns": ["a"]})");
  check_one_line(generate({"--mt-bench", questions, "--answers", questions}), 2, "--answers");
  CHECK(act_test::read_file(questions).starts_with("{\"question_id\""));
  check_one_line(generate({"--prompt", "a", "--heads", heads, "--json", heads}), 2, "--json");
  check_one_line(generate({"--prompt", "a", "--json", folder / "none" / "r.json"}), 1, "--json");
}

TEST_CASE("SmolLM2 answers in its chat format, and Ctrl-C ends it with 130") {
  if (!std::filesystem::exists(ACT_TEST_MODEL)) {
    MESSAGE("[skipped] no model at " ACT_TEST_MODEL "; third_party/fetch_model.sh gets it");
    return;
  }
  const act_test::temporary_folder folder;
  const auto run = generate({"--chat", "--prompt", "What is the capital of France?", "--max-new-tokens", "24",
                             "--json", folder / "result.json"},
                            ACT_TEST_MODEL);
  REQUIRE(run.exit_code == 0);
  const json result = parsed(folder / "result.json");
  CHECK(run.out.find("Paris") != std::string::npos);
  CHECK(result["chat_template"] == "own");
  CHECK(result["end"] == "end_token");

  const auto begun = std::chrono::steady_clock::now();
  const auto stopped = run_program(
      "act-generate",
      {"--model", ACT_TEST_MODEL, "--prompt", "Once upon a time", "--max-new-tokens", "6000", "--temperature",
       "1", "--json", folder / "none.json"},
      act_test::interruption{.signal = SIGINT, .when = [&] {
                               return std::chrono::steady_clock::now() - begun > std::chrono::seconds(2);
                             }});
  CHECK(stopped.exit_code == 130);
  CHECK(!stopped.killed);
  CHECK(stopped.err == "act-generate: interrupted\n");
  CHECK(!std::filesystem::exists(folder / "none.json"));
}
