// SQuAD documents: answers, questions without one, and places in errors.
#include "../golden_prompts.hpp"
#include "message_of.hpp"

#include <act/tasks/readers/squad.hpp>

#include <doctest/doctest.h>

namespace {

std::string refused_squad(const std::string& text) {
  return act_test::message_of([&] { act::tasks::read_squad({"s.json", text}); });
}

std::string with_question(const std::string& question) {
  return R"({"data": [{"title": "T", "paragraphs": [{"context": "C", "qas": []}, {"context": "C", "qas": [)" +
         question + "]}]}]}";
}

}  // namespace

TEST_CASE("answers, groups and impossible questions") {
  const auto samples =
      act::tasks::read_samples(act::tasks::find_task("squad"), act_test::golden_tasks() / "data/squad.json");
  REQUIRE(samples.size() == 4);
  CHECK(samples[0].fields.at("title") == "Small Town");
  CHECK(samples[0].choices == std::vector<std::string>{"two", "two mills"});
  CHECK(samples[1].choices.empty());
  CHECK(samples[2].fields.at("id") == "q3");
  CHECK(samples[2].group == 0);
  CHECK(samples[3].group == 1);
}

TEST_CASE("errors name article, paragraph and question") {
  CHECK(refused_squad("{") == "s.json: not valid JSON at byte 2; mend the file or fetch it again");
  CHECK(refused_squad("{}") == "s.json: has no 'data'; is it another task's file?");
  CHECK(refused_squad(R"({"data": [{"title": "T"}]})") ==
        "s.json data[0]: has no 'paragraphs'; is it another task's file?");
  CHECK(refused_squad(R"({"data": [3]})") == "s.json data[0]: has no 'title'; is it another task's file?");
  CHECK(refused_squad(with_question(R"({"id": "1", "question": "Q"})")) ==
        "s.json data[0] paragraphs[1] qas[0]: has no 'answers'; is it another task's file?");
  CHECK(refused_squad(with_question(R"({"id": "1", "question": "Q", "answers": []})")) ==
        "s.json data[0] paragraphs[1] qas[0]: has no answers and isn't marked is_impossible; add one or the "
        "mark");
  CHECK(refused_squad(with_question(R"({"id": "1", "question": "Q", "answers": [{"text": 3}]})")) ==
        "s.json data[0] paragraphs[1] qas[0] answers[0]: 'text' must be a string");
}
