// Label priors that are estimated: over the scored samples (batch) and over random texts of the domain.
#include "message_of.hpp"

#include <act/statistics/label_likelihood.hpp>
#include <act/tasks/batch_prior.hpp>
#include <act/tasks/domain_prior.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

TEST_CASE("batch: each answer less its mean log-probability over the samples that have it") {
  const std::vector<std::vector<double>> scores{{2, 1}, {5, 3}, {0, 4}, {1, 1, 1}};
  const auto less = act::tasks::less_batch_prior(scores);
  for (std::size_t answer = 0; answer < 3; ++answer) {
    double mean = 0, count = 0;
    for (const std::vector<double>& row : scores) {
      if (answer >= row.size()) continue;
      double sum = 0;
      for (const double each : row)
        sum += std::exp(each);
      mean += std::log(std::exp(row[answer]) / sum);
      count += 1;
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (answer < scores[i].size())
        CHECK(less[i][answer] == doctest::Approx(scores[i][answer] - mean / count));
    }
  }
  CHECK(act::tasks::less_batch_prior({}).empty());
}

TEST_CASE("domain: each score less the logarithm of its label's mean probability at random texts") {
  const auto less = act::tasks::less_domain_prior({{2, 1}, {0, 4}}, {{std::log(3.0), 0}, {0, 0}});
  // Probabilities 3/4, 1/4 and 1/2, 1/2.
  CHECK(less[0][0] == doctest::Approx(2 - std::log(0.625)));
  CHECK(less[0][1] == doctest::Approx(1 - std::log(0.375)));
  CHECK(less[1][1] == doctest::Approx(4 - std::log(0.375)));
  CHECK(act_test::message_of([&] {
          return act::tasks::less_domain_prior({{1, 2}}, {});
        }) == "prior: must have scores of a random text at least");
  CHECK(act_test::message_of([&] {
          return act::tasks::less_domain_prior({{1, 2, 3}}, {{1, 2}});
        }) == "prior: must have a score for each of a sample's answers");
}

TEST_CASE("random texts have the data's words and mean length, and the seed fixes them") {
  const act::tasks::task& rte = act::tasks::find_task("rte");
  const std::vector<act::tasks::sample> corpus{
      {.index = 0,
       .fields = {{"premise", "one two  three"}, {"hypothesis", "red"}},
       .choices = {},
       .label = 1},
      {.index = 1,
       .fields = {{"premise", "four five"}, {"hypothesis", "green blue"}},
       .choices = {},
       .label = 0},
      {.index = 2, .fields = {{"premise", "six seven eight nine"}, {"hypothesis", "grey"}}, .choices = {}}};
  const auto made = act::tasks::random_domain_samples(rte, corpus, 50, 7);
  REQUIRE(made.size() == 50);
  std::set<std::string> premises, colours;
  for (const act::tasks::sample& each : made) {
    std::istringstream premise(each.fields.at("premise")), hypothesis(each.fields.at("hypothesis"));
    std::size_t words = 0;
    for (std::string word; premise >> word; ++words)
      premises.insert(word);
    CHECK(words == 3);  // 9 words in 3 texts
    words = 0;
    for (std::string word; hypothesis >> word; ++words)
      colours.insert(word);
    CHECK(words == 1);  // 4 in 3
  }
  CHECK(premises.size() == 9);
  CHECK(colours == std::set<std::string>{"red", "green", "blue", "grey"});
  CHECK(act::tasks::random_domain_samples(rte, corpus, 50, 7)[49].fields == made[49].fields);
  CHECK(act::tasks::random_domain_samples(rte, corpus, 50, 8)[49].fields != made[49].fields);
  CHECK(act_test::message_of([&] {
          return act::tasks::random_domain_samples(act::tasks::find_task("arce"), corpus, 1, 0);
        }) == "prior: task 'arce' has no labels that all samples share, so no prior of its domain");
  CHECK(act_test::message_of([&] { return act::tasks::random_domain_samples(rte, {}, 1, 0); }) ==
        "prior: the samples' texts have no words");
}
