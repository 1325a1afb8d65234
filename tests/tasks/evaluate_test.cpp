// Summing up several runs over the same samples, and scores less a label prior.
#include "message_of.hpp"

#include <act/tasks/contextual_prior.hpp>
#include <act/tasks/evaluate.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

// Two answers a sample; `right[i]` says whether sample i is answered as labelled.
act::statistics::score_table answered(const std::vector<std::size_t>& labels,
                                      const std::vector<bool>& right) {
  act::statistics::score_table scores;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool first = (labels[i] == 0) == right[i];
    scores.push_back(first ? std::vector<double>{1 + 0.01 * static_cast<double>(i), 0}
                           : std::vector<double>{0, 1 + 0.01 * static_cast<double>(i)});
  }
  return scores;
}

}  // namespace

TEST_CASE("one run: Wilson's interval, whole counts and McNemar's test") {
  const std::vector<std::size_t> labels{0, 1, 0, 1};
  const act::tasks::sample_scores run{.plain = answered(labels, {true, false, false, true}),
                                      .contextual = {},
                                      .calibrated = answered(labels, {true, true, false, true})};
  const act::tasks::evaluation result = act::tasks::evaluate(labels, 2, {&run, 1});
  CHECK(result.n == 4);
  CHECK(result.runs == 1);
  CHECK(result.labelled == std::vector<std::size_t>{2, 2});
  CHECK(result.baseline.correct == 2);
  CHECK(result.baseline.ci95.lo == act::statistics::wilson_interval(2, 4).lo);
  CHECK(result.calibrated->correct == 3);
  CHECK(result.difference->gained == 1);
  CHECK(result.difference->lost == 0);
  CHECK(result.difference->mcnemar_p == act::statistics::mcnemar_exact(1, 0));
  CHECK(!result.contextual);
  CHECK(!result.contextual_difference);
}

TEST_CASE("a label prior that hides everything from accuracy") {
  std::vector<std::size_t> labels;
  act::tasks::sample_scores run;
  run.with_other = true;  // what else the greedy token could be has no prior among the labels
  for (std::size_t i = 0; i < 30; ++i) {
    labels.push_back(i % 2);
    run.plain.push_back({labels[i] == 0 ? 0.2 : 0.1, 9, 1});
    run.calibrated.push_back({0.1, 9, 20});
  }
  const act::tasks::evaluation result = act::tasks::evaluate(labels, 2, {&run, 1});
  CHECK(result.baseline.accuracy == 0.5);
  CHECK(result.baseline.prior_corrected == 1.0);
  REQUIRE(result.baseline.prior_corrected_ci95.has_value());
  CHECK(result.baseline.prior_corrected_ci95->lo == 1);
  CHECK(result.calibrated->accuracy == 0);
  CHECK(result.calibrated->prior_corrected == 0.5);
  REQUIRE(result.difference->prior_corrected_ci95.has_value());
  CHECK(result.difference->prior_corrected == -0.5);
  CHECK(result.difference->prior_corrected_ci95->lo < -0.5);
  CHECK(result.difference->prior_corrected_ci95->hi > -0.5);
}

TEST_CASE("several runs: means, no McNemar, and intervals that resample samples") {
  std::vector<std::size_t> labels;
  std::vector<bool> right;
  for (std::size_t i = 0; i < 40; ++i) {
    labels.push_back(i % 2);
    right.push_back(i % 4 != 0);
  }
  // The same outcomes in every run: five runs know no more than one.
  const act::tasks::sample_scores same{.plain = answered(labels, right), .contextual = {}, .calibrated = {}};
  const std::vector<act::tasks::sample_scores> copies(5, same);
  const act::tasks::evaluation once = act::tasks::evaluate(labels, 2, {copies.data(), 2});
  const act::tasks::evaluation five = act::tasks::evaluate(labels, 2, copies);
  CHECK(five.runs == 5);
  CHECK(five.baseline.correct == doctest::Approx(30));
  CHECK(five.baseline.ci95.lo == doctest::Approx(once.baseline.ci95.lo));
  CHECK(five.baseline.ci95.hi == doctest::Approx(once.baseline.ci95.hi));
  CHECK(five.baseline.ci95.hi - five.baseline.ci95.lo > 0.2);  // of 40 samples, not of 200

  std::vector<bool> other = right;
  other[0] = true;
  const act::statistics::score_table better = answered(labels, other);
  const std::vector<act::tasks::sample_scores> two{
      {.plain = same.plain, .contextual = {}, .calibrated = same.plain},
      {.plain = same.plain, .contextual = {}, .calibrated = better}};
  const act::tasks::evaluation mixed = act::tasks::evaluate(labels, 2, two);
  CHECK(mixed.calibrated->correct == doctest::Approx(30.5));
  CHECK(mixed.difference->accuracy == doctest::Approx(0.5 / 40));
  CHECK(mixed.difference->gained == doctest::Approx(0.5));
  CHECK(mixed.difference->lost == 0);
  CHECK(!mixed.difference->mcnemar_p);
}

TEST_CASE("a label prior is scored once for all samples that share it, and taken from every score") {
  const auto prompt = [](std::vector<act::runtime::token_id> tokens) {
    return act::tasks::prepared_sample{.index = 0, .label = 0, .prompt = std::move(tokens), .words = {7, 8}};
  };
  const std::vector<act::tasks::prepared_sample> content_free{prompt({1, 2}), prompt({1, 3}), prompt({1, 2})};
  const act::tasks::prior_prompts prompts = act::tasks::prior_prompts_of(content_free);
  CHECK(prompts.distinct.size() == 2);
  CHECK(prompts.of_sample == std::vector<std::size_t>{0, 1, 0});
  const act::statistics::score_table less =
      act::tasks::less_prior({{5, 1}, {5, 1}, {2, 2}}, prompts, {{3, -1}, {0.5, 0.25}});
  CHECK(less == act::statistics::score_table{{2, 2}, {4.5, 0.75}, {-1, 3}});
  CHECK(act_test::message_of([&] {
          return act::tasks::less_prior({{5, 1}}, prompts, {});
        }) == "prior: must have a prompt without content for every sample");
}

TEST_CASE("a prior shifts every sample alike: the order of the samples, and so AUC, stays") {
  const std::vector<std::size_t> labels{0, 1, 0, 1, 1};
  act::tasks::sample_scores run{
      .plain = {{3, 1}, {3, 2.5}, {3, 0}, {3, 2}, {3, 2.75}}, .contextual = {}, .calibrated = {}};
  const std::vector<act::tasks::prepared_sample> one(
      5, {.index = 0, .label = 0, .prompt = {1}, .words = {7, 8}});
  run.contextual = act::tasks::less_prior(run.plain, act::tasks::prior_prompts_of(one), {{1.5, 0}});
  const act::tasks::evaluation result = act::tasks::evaluate(labels, 2, {&run, 1});
  CHECK(result.baseline.correct == 2);
  CHECK(result.contextual->correct == 5);
  CHECK(result.contextual->auc == result.baseline.auc);
  CHECK(result.contextual_difference->auc == 0);
  CHECK(result.contextual_difference->gained == 3);
}
