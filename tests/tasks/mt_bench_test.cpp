// MT-Bench questions in, answer lines out.
#include "message_of.hpp"

#include <act/tasks/mt_bench.hpp>

#include <doctest/doctest.h>

#include <filesystem>

namespace {
std::string refused_questions(const std::string& text) {
  return act_test::message_of([&] { return act::tasks::read_mt_bench({"q.jsonl", text}); });
}
}  // namespace

TEST_CASE("questions are read and answered in FastChat's format") {
  const auto questions = act::tasks::read_mt_bench(
      {"q.jsonl",
       R"({"question_id": 81, "category": "writing", "turns": ["One?", "Two?"], "reference": ["x"]})"});
  REQUIRE(questions.size() == 1);
  CHECK(questions[0].id == 81);
  CHECK(questions[0].category == "writing");
  CHECK(questions[0].turns == std::vector<std::string>{"One?", "Two?"});
  const std::vector<std::string> answers = {"A \"1\"\n", "broken \xE2\x82"};
  CHECK(act::tasks::mt_bench_answer_line(questions[0], answers, "smol", "id-1", 1700000000.5) ==
        "{\"question_id\":81,\"answer_id\":\"id-1\",\"model_id\":\"smol\",\"choices\":[{\"index\":0,"
        "\"turns\":[\"A "
        "\\\"1\\\"\\n\",\"broken \xEF\xBF\xBD\"]}],\"tstamp\":1700000000.5}");
}

TEST_CASE("FastChat's temperatures by category") {
  // temperature_config of fastchat/llm_judge/common.py, and gen_model_answer.py for other categories.
  for (const char* each : {"writing", "roleplay", "something else"})
    CHECK(act::tasks::mt_bench_temperature(each) == 0.7);
  for (const char* each : {"extraction", "math", "coding", "reasoning"})
    CHECK(act::tasks::mt_bench_temperature(each) == 0);
  for (const char* each : {"stem", "humanities"})
    CHECK(act::tasks::mt_bench_temperature(each) == 0.1);
}

TEST_CASE("answers name the model as its folder or file is called") {
  for (const char* path : {"vicuna-7b-v1.5", "vicuna-7b-v1.5/", "a.b/vicuna-7b-v1.5//", "./vicuna-7b-v1.5/",
                           "/m/vicuna-7b-v1.5", "vicuna-7b-v1.5.gguf"}) {
    CAPTURE(path);
    CHECK(act::tasks::mt_bench_model_id(path) == "vicuna-7b-v1.5");
  }
  CHECK(act::tasks::mt_bench_model_id("m/SmolLM2.Q4_1.gguf") == "SmolLM2.Q4_1");
  const std::string here = std::filesystem::current_path().filename().string();
  CHECK(act::tasks::mt_bench_model_id(".") == here);
  CHECK(act::tasks::mt_bench_model_id("./") == here);
}

TEST_CASE("bad question lines are refused with their place") {
  CHECK(refused_questions("{\"question_id\": \"x\"}") == "q.jsonl:1: 'question_id' must be a whole number");
  CHECK(refused_questions("{\"question_id\": 1, \"category\": \"c\", \"turns\": []}") ==
        "q.jsonl:1: 'turns' is empty; there is nothing to ask");
  CHECK(refused_questions("{\"question_id\": 1, \"category\": \"c\", \"turns\": [3]}") ==
        "q.jsonl:1: 'turns' must hold texts only");
  const std::string line = "{\"question_id\": 1, \"category\": \"c\", \"turns\": [\"t\"]}\n";
  CHECK(refused_questions(line + "\n" + line) == "q.jsonl:3: question 1 appears twice; remove one");
  CHECK(refused_questions("") == "q.jsonl: holds no questions; is it MT-Bench's question.jsonl?");
}

TEST_CASE("the real question file") {
  const auto path = std::filesystem::path(ACT_TEST_SHARED) / "data/mt_bench/question.jsonl";
  if (!std::filesystem::exists(path)) {
    MESSAGE("[skipped] " << path.string() << " isn't there");
    return;
  }
  const auto questions = act::tasks::read_mt_bench(act::io::read_text_file(path));
  CHECK(questions.size() == 80);
  for (const auto& each : questions) {
    CHECK(each.turns.size() == 2);
  }
}
