// Exact match and F1, against the official definitions as golden values (tests/golden/tasks/make_squad.py).
#include "golden_prompts.hpp"

#include <act/tasks/squad_metrics.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_CASE("normalised answers and scores equal the golden ones") {
  const auto golden =
      nlohmann::json::parse(act::io::read_text_file(act_test::golden_tasks() / "squad_metrics.json").text);
  for (const auto& each : golden.at("normalized")) {
    CAPTURE(each);
    CHECK(act::tasks::normalized_answer(each.at("text").get<std::string>()) ==
          each.at("normalized").get<std::string>());
  }
  for (const auto& [named, rules] :
       {std::pair("1.1", act::tasks::squad_rules::v1), std::pair("2.0", act::tasks::squad_rules::v2)}) {
    const std::string version = named;
    CAPTURE(version);
    for (const auto& each : golden.at("questions").at(version)) {
      CAPTURE(each);
      const auto score = act::tasks::score_prediction(each.at("prediction").get<std::string>(),
                                                      each.at("gold").get<std::vector<std::string>>(), rules);
      CHECK(score.exact_match == each.at("exact").get<double>());
      CHECK(score.f1 == doctest::Approx(each.at("f1").get<double>()).epsilon(1e-12));
    }
  }
}

TEST_CASE("the best gold answer counts") {
  const std::vector<std::string> gold = {"the two mills", "two"};
  CHECK(act::tasks::score_prediction("two", gold, act::tasks::squad_rules::v1) ==
        act::tasks::squad_score{1, 1});
  CHECK(act::tasks::score_prediction("two big", gold, act::tasks::squad_rules::v1).f1 ==
        doctest::Approx(2.0 / 3));
}

TEST_CASE("version 2: saying that there is no answer") {
  const std::vector<std::string> none, some = {"background noise"};
  using enum act::tasks::squad_rules;
  CHECK(act::tasks::score_prediction("Not in background.", none, v2) == act::tasks::squad_score{1, 1});
  CHECK(act::tasks::score_prediction(" ", none, v2) == act::tasks::squad_score{1, 1});
  CHECK(act::tasks::score_prediction("two", none, v2) == act::tasks::squad_score{0, 0});
  CHECK(act::tasks::score_prediction("not in the background", some, v2) == act::tasks::squad_score{0, 0});
  CHECK(act::tasks::score_prediction("not in background", some, v1).f1 == doctest::Approx(0.4));
}

TEST_CASE("the rules follow from the file") {
  std::vector<act::tasks::sample> samples(2);
  samples[0].choices = {"x"};
  samples[1].choices = {"y"};
  CHECK(act::tasks::rules_of(samples) == act::tasks::squad_rules::v1);
  samples[1].choices.clear();
  CHECK(act::tasks::rules_of(samples) == act::tasks::squad_rules::v2);
}

TEST_CASE("the answer ends at the first newline") {
  CHECK(act::tasks::generated_answer(" two mills \nQ: next") == "two mills");
  CHECK(act::tasks::generated_answer("\ttwo") == "two");
  CHECK(act::tasks::generated_answer("\n two") == "");
  CHECK(act::tasks::generated_answer("") == "");
}

TEST_CASE("text cut inside a character is normalised without harm") {
  CHECK(act::tasks::normalized_answer("caf\xC3") == "caf");
  CHECK(act::tasks::normalized_answer("\xFF\xFE") == "");
}
