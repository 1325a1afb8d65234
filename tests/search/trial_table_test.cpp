// A table of trials: what goes in comes out, and evidence counts what has been tried.
#include <doctest/doctest.h>
#include <act/search/evidence.hpp>
#include <act/search/plan.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tiny_search.hpp"

namespace {

std::vector<double> list(std::span<const double> of) {
  return {of.begin(), of.end()};
}

}  // namespace

TEST_CASE("scores of samples with more and fewer answers come out as they went in") {
  act::search::trial_table table({{3, 1}, {4, 0}}, {{0, 2, 0}, {1, 3, 1}});
  table.set_plain(1, std::vector<double>{1, 2, 3});
  table.set_trial(1, 0, std::vector<double>{4, 5}, true);
  table.set_trial(1, 1, std::vector<double>{6, 7, 8}, false);
  CHECK(list(table.plain(0)) == std::vector<double>{0, 0});
  CHECK(list(table.plain(1)) == std::vector<double>{1, 2, 3});
  CHECK(list(table.calibrated(1, 0)) == std::vector<double>{4, 5});
  CHECK(list(table.calibrated(1, 1)) == std::vector<double>{6, 7, 8});
  CHECK(list(table.calibrated(0, 1)) == std::vector<double>{0, 0, 0});
  CHECK(table.known(1, 1));
  CHECK(!table.known(0, 1));
  CHECK(table.has_sinks(1, 0));
  CHECK(!table.has_sinks(1, 1));
}

TEST_CASE("evidence sums up the samples that a head has been tried on") {
  act::search::trial_table table({{3, 1}, {4, 0}}, {{0, 2, 0}, {1, 2, 0}, {1, 2, 0}});
  for (std::size_t sample = 0; sample < 3; ++sample)
    table.set_plain(sample, std::vector<double>{1, 0});
  table.set_trial(0, 0, std::vector<double>{0, 1}, true);   // lost
  table.set_trial(0, 1, std::vector<double>{0, 1}, true);   // gained
  table.set_trial(1, 2, std::vector<double>{1, 0}, false);  // as before
  const std::vector<act::search::head_evidence> evidence = act::search::evidence_of(table);
  REQUIRE(evidence.size() == 2);
  CHECK(evidence[0].gained == 1);
  CHECK(evidence[0].lost == 1);
  CHECK(evidence[0].correct == 1);
  CHECK(evidence[0].with_sinks == 2);
  CHECK(evidence[0].log_likelihood_gain == doctest::Approx(0).epsilon(1e-12));
  CHECK(evidence[1].correct == 0);
  CHECK(evidence[1].with_sinks == 0);
}

TEST_CASE("evidence counts what flipped and averages the change in log-likelihood") {
  const std::vector<double> right{0.0, 1.0}, wrong{1.0, 0.0};
  act::search::trial_table table({{0, 0}}, std::vector<act::search::table_sample>(4, {1, 2, 0}));
  const auto tried = [&](std::size_t sample, const std::vector<double>& plain,
                         const std::vector<double>& calibrated, bool has_sinks) {
    table.set_plain(sample, plain);
    table.set_trial(0, sample, calibrated, has_sinks);
  };
  tried(0, wrong, right, true);
  tried(1, right, wrong, true);
  tried(2, wrong, right, true);
  tried(3, right, right, false);
  const act::search::head_evidence counted = act::search::evidence_of(table).front();
  CHECK(counted.gained == 2);
  CHECK(counted.lost == 1);
  CHECK(counted.net() == 1);
  CHECK(counted.correct == 3);
  CHECK(counted.with_sinks == 3);
  CHECK(counted.log_likelihood_gain == doctest::Approx(0.25));  // each flip moves log p(right) by 1
}

TEST_CASE("a shuffled plan has the same samples with their sources, in an order that its seed fixes") {
  const auto order = [](std::uint64_t seed) {
    act::search::search_plan plan;
    for (std::size_t i = 0; i < 40; ++i) {
      plan.samples.push_back({.index = i % 20, .label = i < 20 ? 0U : 1U, .prompt = {}, .words = {}});
      plan.source_of.push_back(i / 20);
    }
    plan.shuffle(seed);
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < 40; ++i) {
      CHECK(plan.source(i) == plan.samples[i].label);
      numbers.push_back(plan.source(i) * 20 + plan.samples[i].index);
    }
    return numbers;
  };
  std::vector<std::size_t> first = order(1);
  CHECK(first == order(1));
  CHECK(first != order(2));
  // The first half has samples of both.
  CHECK(std::count_if(first.begin(), first.begin() + 20, [](std::size_t i) { return i < 20; }) >= 5);
  CHECK(std::count_if(first.begin(), first.begin() + 20, [](std::size_t i) { return i >= 20; }) >= 5);
  std::sort(first.begin(), first.end());
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(first[i] == i);
}
