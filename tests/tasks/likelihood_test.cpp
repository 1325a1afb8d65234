// The texts of likelihood scoring, against golden ones.
#include "golden_prompts.hpp"
#include "message_of.hpp"

#include <act/tasks/likelihood.hpp>

#include <doctest/doctest.h>

TEST_CASE("contexts and continuations equal the golden ones") {
  std::size_t compared = 0;
  for (const auto& golden : act_test::golden_prompts()) {
    if (!golden.expected.contains("continuations")) {
      continue;
    }
    CAPTURE(golden.expected.at("task"));
    const act::tasks::likelihood_prompt zero =
        act::tasks::build_likelihood_prompt(golden.task, golden.asked());
    const act::tasks::likelihood_prompt few =
        act::tasks::build_likelihood_prompt(golden.task, golden.asked(), golden.shots);
    CHECK(zero.context == golden.expected.at("likelihood_context").get<std::string>());
    CHECK(few.context == golden.expected.at("few_shot_likelihood_context").get<std::string>());
    CHECK(zero.continuations == golden.expected.at("continuations").get<std::vector<std::string>>());
    CHECK(few.continuations == zero.continuations);
    for (std::size_t i = 0; i < zero.continuations.size(); ++i) {
      CHECK(zero.option_bytes[i] == zero.continuations[i].size() - 1);  // without the space
    }
    ++compared;
  }
  CHECK(compared > 15);
}

TEST_CASE("an option's length counts bytes and is never zero") {
  act::tasks::sample asked;
  asked.fields["question"] = "?";
  asked.choices = {"", "é", " x"};
  const auto lettered = act::tasks::build_likelihood_prompt(act::tasks::find_task("arce"), asked);
  CHECK(lettered.continuations == std::vector<std::string>{" ", " é", "  x"});
  CHECK(lettered.option_bytes == std::vector<std::size_t>{1, 2, 2});
  asked.fields["prompt"] = "p";
  asked.choices = {"no space", " space"};
  CHECK(act::tasks::build_likelihood_prompt(act::tasks::find_task("jsonl"), asked).option_bytes ==
        std::vector<std::size_t>{8, 5});
}

TEST_CASE("tasks without options are refused") {
  CHECK(act_test::message_of([] {
          return act::tasks::build_likelihood_prompt(act::tasks::find_task("sst2"), {});
        }) == "scoring: task 'sst2' has no options whose likelihood could be compared; use scoring labels");
}
