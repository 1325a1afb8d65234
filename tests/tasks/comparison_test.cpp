// Many ways of scoring beside the plain one.
#include <doctest/doctest.h>
#include <act/tasks/comparison.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace {

using act::statistics::label_map_kind;
using act::statistics::score_table;

// Samples of two labels whose right one scores higher, all but a few of which a prior hides.
struct hidden_samples {
  score_table plain, better;
  std::vector<std::size_t> labels;

  hidden_samples() {
    for (std::size_t i = 0; i < 60; ++i) {
      labels.push_back(i % 2);
      const double noise = std::sin(static_cast<double>(i * i));
      plain.push_back({5 + noise, 0});
      plain.back()[i % 2] += 1.2;
      better.push_back(plain.back());
      better.back()[i % 2] += 4;
    }
  }
};

}  // namespace

TEST_CASE("a way of scoring is compared as it is and with each map, all beside the plain scores") {
  const hidden_samples samples;
  const auto rows = act::tasks::compare({.name = "better",
                                         .scores = samples.better,
                                         .fitting_scores = samples.better,
                                         .fitting_labels = samples.labels},
                                        samples.plain, samples.labels, 2, false, {.resamples = 200});
  REQUIRE(rows.size() == 3);
  CHECK(!rows[0].map);
  CHECK(rows[0].fitted_on == 0);
  CHECK(rows[1].map == label_map_kind::bias);
  CHECK(rows[2].map == label_map_kind::linear);
  for (const act::tasks::compared_row& row : rows) {
    CHECK(row.name == "better");
    REQUIRE(row.difference);
    // Plain answers the first label to everything.
    CHECK(row.difference->accuracy == doctest::Approx(row.summary.accuracy - 0.5));
  }
  CHECK(rows[1].fitted_on == 60);
  CHECK(rows[1].summary.accuracy > rows[0].summary.accuracy);
  CHECK(*rows[1].summary.auc == *rows[0].summary.auc);  // a bias leaves the order of scores
}

TEST_CASE("the plain row is compared with nothing, and scores without labelled samples get no map") {
  const hidden_samples samples;
  const auto alone = act::tasks::compare(
      {.name = "plain", .scores = samples.plain, .fitting_scores = {}, .fitting_labels = {}}, samples.plain,
      samples.labels, 2, false, {.resamples = 100});
  REQUIRE(alone.size() == 1);
  CHECK(!alone[0].difference);
  score_table with_another = samples.plain;
  for (std::vector<double>& row : with_another)
    row.push_back(1);
  const auto greedy = act::tasks::compare({.name = "plain",
                                           .scores = with_another,
                                           .fitting_scores = with_another,
                                           .fitting_labels = samples.labels},
                                          with_another, samples.labels, 2, true, {.resamples = 100});
  CHECK(greedy.size() == 1);
}
