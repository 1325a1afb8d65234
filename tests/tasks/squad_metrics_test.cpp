// Exact match and F1, against the official definitions as golden values (tests/golden/tasks/make_squad.py).
#include "golden_prompts.hpp"

#include <act/tasks/squad_metrics.hpp>

#include <doctest/doctest.h>

TEST_CASE("normalised answers and scores equal the golden ones") {
  const auto golden =
      nlohmann::json::parse(act::read_text_file(act_test::golden_tasks() / "squad_metrics.json").text);
  for (const auto& each : golden.at("normalized")) {
    CAPTURE(each);
    CHECK(act::normalized_answer(each.at("text").get<std::string>()) ==
          each.at("normalized").get<std::string>());
  }
  for (const auto& each : golden.at("scores")) {
    CAPTURE(each);
    const auto score =
        act::score_answer(each.at("prediction").get<std::string>(), each.at("gold").get<std::string>());
    CHECK(score.exact_match == each.at("exact").get<double>());
    CHECK(score.f1 == doctest::Approx(each.at("f1").get<double>()).epsilon(1e-12));
  }
}

TEST_CASE("the best gold answer counts") {
  const std::vector<std::string> gold = {"the two mills", "two"};
  CHECK(act::score_prediction("two", gold, act::squad_rules::v1) == act::squad_score{1, 1});
  CHECK(act::score_prediction("two big", gold, act::squad_rules::v1).f1 == doctest::Approx(2.0 / 3));
}

TEST_CASE("version 2: saying that there is no answer") {
  const std::vector<std::string> none, some = {"background noise"};
  using enum act::squad_rules;
  CHECK(act::score_prediction("Not in background.", none, v2) == act::squad_score{1, 1});
  CHECK(act::score_prediction(" ", none, v2) == act::squad_score{1, 1});
  CHECK(act::score_prediction("two", none, v2) == act::squad_score{0, 0});
  CHECK(act::score_prediction("not in the background", some, v2) == act::squad_score{0, 0});
  CHECK(act::score_prediction("not in background", some, v1).f1 == doctest::Approx(0.4));
}

TEST_CASE("the rules follow from the file") {
  std::vector<act::sample> samples(2);
  samples[0].choices = {"x"};
  samples[1].choices = {"y"};
  CHECK(act::rules_of(samples) == act::squad_rules::v1);
  samples[1].choices.clear();
  CHECK(act::rules_of(samples) == act::squad_rules::v2);
}

TEST_CASE("the answer ends at the first newline") {
  CHECK(act::generated_answer(" two mills \nQ: next") == "two mills");
  CHECK(act::generated_answer("\ttwo") == "two");
  CHECK(act::generated_answer("\n two") == "");
  CHECK(act::generated_answer("") == "");
}

TEST_CASE("text cut inside a character is normalised without harm") {
  CHECK(act::normalized_answer("caf\xC3") == "caf");
  CHECK(act::normalized_answer("\xFF\xFE") == "");
}
