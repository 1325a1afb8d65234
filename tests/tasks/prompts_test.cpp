// Prompts to the byte, against golden ones made by an independent script.
#include "golden_prompts.hpp"
#include "message_of.hpp"

#include <act/tasks/prompts.hpp>

#include <doctest/doctest.h>

#include <set>

TEST_CASE("every task's prompts, labels and scored words equal the golden ones") {
  std::set<std::string> tasks;
  for (const auto& golden : act_test::golden_prompts()) {
    CAPTURE(golden.expected.at("task"));
    CAPTURE(golden.expected.at("file"));
    CAPTURE(golden.expected.at("index"));
    CHECK(act::tasks::build_prompt(golden.task, golden.asked()) ==
          golden.expected.at("prompt").get<std::string>());
    CHECK(act::tasks::build_prompt(golden.task, golden.asked(), golden.shots) ==
          golden.expected.at("few_shot_prompt").get<std::string>());
    CHECK(act::tasks::scored_words(golden.task, golden.asked()) ==
          golden.expected.at("words").get<std::vector<std::string>>());
    CHECK(golden.asked().label == golden.expected.at("label").get<std::size_t>());
    CHECK(golden.asked().index == golden.expected.at("index").get<std::size_t>());
    tasks.insert(golden.task.name);
  }
  CHECK(tasks.size() == act::tasks::all_tasks().size());
}

TEST_CASE("a pattern is filled once and values are never looked at again") {
  act::tasks::sample from;
  from.fields = {{"a", "{b}"}, {"b", "B{a}"}};
  CHECK(act::tasks::fill("{a}|{b}|{a}", from) == "{b}|B{a}|{b}");
  CHECK(act::tasks::fill("{} { a} {a {A} }{{b}}", from) == "{} { a} {a {A} }{B{a}}");
  CHECK(act::tasks::fill("", from).empty());
  CHECK(act_test::message_of([&] { return act::tasks::fill("{c}", from); }) ==
        "sample 0: has no field 'c', which the task's pattern names; is it another task's file?");
}

TEST_CASE("options get letters up to the 26th") {
  CHECK(act::tasks::choice_letter(0) == "A");
  CHECK(act::tasks::choice_letter(25) == "Z");
  CHECK(act_test::message_of([] { return act::tasks::choice_letter(26); }) ==
        "choices: more than 26 options have no letters; use likelihood scoring");
}

TEST_CASE("a shot whose label the task lacks is refused") {
  act::tasks::sample shot;
  shot.fields["text"] = "x";
  shot.label = 2;
  const act::tasks::task& sst2 = act::tasks::find_task("sst2");
  CHECK(act_test::message_of([&] {
          return act::tasks::build_prompt(sst2, shot, {&shot, 1});
        }) == "shot 0: its label is none of the task's labels; is it another task's file?");
}
