// Summing up generated answers: means, parts, intervals and the difference, on cases made by hand.
#include "message_of.hpp"

#include <act/report/answers_report.hpp>
#include <act/tasks/evaluate_answers.hpp>

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using act::tasks::squad_rules;
using act::tasks::squad_score;

}  // namespace

TEST_CASE("generated answers: the official numbers on cases made by hand") {
  // Prediction and gold answers, each with what the official script's formulas give.
  struct judged {
    const char* prediction;
    std::vector<std::string> gold;
    squad_score score;
  };
  const std::vector<judged> cases{
      {"The Norman dynasty!", {"norman dynasty"}, {1, 1}},
      {"the answer is: Lake George", {"Lake George", "George"}, {0, 2 * (2.0 / 4) * 1 / (2.0 / 4 + 1)}},
      {"in 1850", {"1850", "in 1850 AD"}, {0, 2 * 1 * (2.0 / 3) / (1 + 2.0 / 3)}},
      {"no idea", {"1850"}, {0, 0}},
      {"Not in background.", {}, {1, 1}},
      {"", {}, {1, 1}},
      {"1850", {}, {0, 0}},
      {"Not in background", {"1850"}, {0, 0}},
  };
  std::vector<squad_score> scores;
  std::vector<bool> answerable;
  double exact = 0, f1 = 0, exact_with = 0, f1_with = 0;
  for (const judged& each : cases) {
    CAPTURE(each.prediction);
    scores.push_back(act::tasks::score_prediction(each.prediction, each.gold, squad_rules::v2));
    answerable.push_back(!each.gold.empty());
    CHECK(scores.back().exact_match == each.score.exact_match);
    CHECK(scores.back().f1 == doctest::Approx(each.score.f1));
    exact += each.score.exact_match / 8;
    f1 += each.score.f1 / 8;
    exact_with += each.gold.empty() ? 0 : each.score.exact_match / 5;
    f1_with += each.gold.empty() ? 0 : each.score.f1 / 5;
  }
  const act::tasks::answers_evaluation result =
      act::tasks::evaluate_answers(scores, {}, answerable, squad_rules::v2);
  CHECK(result.n == 8);
  CHECK(result.baseline.all.exact_match == doctest::Approx(exact));
  CHECK(result.baseline.all.f1 == doctest::Approx(f1));
  REQUIRE(result.baseline.has_answer);
  CHECK(result.baseline.has_answer->n == 5);
  CHECK(result.baseline.has_answer->exact_match == doctest::Approx(exact_with));
  CHECK(result.baseline.has_answer->f1 == doctest::Approx(f1_with));
  REQUIRE(result.baseline.no_answer);
  CHECK(result.baseline.no_answer->n == 3);
  CHECK(result.baseline.no_answer->exact_match == doctest::Approx(2.0 / 3));
  CHECK(!result.calibrated);
  CHECK(!result.difference);
  const act::tasks::answer_means& all = result.baseline.all;
  REQUIRE(all.f1_ci95);
  CHECK(all.f1_ci95->lo < all.f1);
  CHECK(all.f1_ci95->hi > all.f1);
  CHECK(all.exact_match_ci95.lo == act::statistics::wilson_interval(3, 8).lo);
  CHECK(all.exact_match_ci95.hi == act::statistics::wilson_interval(3, 8).hi);
}

TEST_CASE("generated answers: the difference is paired") {
  std::vector<squad_score> plain, better;
  for (std::size_t i = 0; i < 60; ++i) {
    const double f1 = 0.1 + 0.01 * static_cast<double>(i);
    plain.push_back({0, f1});
    better.push_back({i % 20 == 0 ? 1.0 : 0.0, f1 + 0.05});
  }
  plain[1].exact_match = 1;
  const std::vector<bool> answerable(60, true);
  const auto result = act::tasks::evaluate_answers(plain, better, answerable, squad_rules::v1);
  CHECK(!result.baseline.has_answer);  // version 1.1 has no other questions
  REQUIRE(result.difference);
  CHECK(result.difference->gained == 3);
  CHECK(result.difference->lost == 1);
  CHECK(result.difference->mcnemar_p == act::statistics::mcnemar_exact(3, 1));
  CHECK(result.difference->exact_match == doctest::Approx(2.0 / 60));
  CHECK(result.difference->f1 == doctest::Approx(0.05));
  // The same gain on every question: sure, however far apart the questions are.
  CHECK(result.difference->f1_ci95->lo == doctest::Approx(0.05));
  CHECK(result.difference->f1_ci95->hi == doctest::Approx(0.05));
  CHECK(result.baseline.all.f1_ci95->hi - result.baseline.all.f1_ci95->lo > 0.05);

  const std::string table = act::report::answers_table(result);
  CHECK(table.find("+3 -1") != std::string::npos);
  CHECK(table.find("+5.0 %") != std::string::npos);
  CHECK(table.find("unanswerable") == std::string::npos);
}

TEST_CASE("generated answers: one question has no interval of its F1 or of a difference") {
  const std::vector<squad_score> one{{1, 1}};
  const auto result = act::tasks::evaluate_answers(one, one, {true}, squad_rules::v1);
  CHECK(!result.baseline.all.f1_ci95);
  CHECK(result.baseline.all.exact_match_ci95.lo < 0.5);
  CHECK(!result.difference->f1_ci95);
  CHECK(!result.difference->exact_match_ci95);
  CHECK(act::report::to_json(result).value()["difference"]["f1_ci95"].is_null());
  CHECK(act::report::answers_table(result).find(" -") != std::string::npos);
}

TEST_CASE("generated answers: sizes that differ are refused, no questions are no error") {
  const std::vector<squad_score> one{{1, 1}};
  CHECK(act_test::message_of([&] {
          (void)act::tasks::evaluate_answers(one, {}, {true, false}, squad_rules::v1);
        }) == "scores: must be one for each question");
  CHECK(act::tasks::evaluate_answers({}, {}, {}, squad_rules::v2).baseline.all.f1 == 0);
}
