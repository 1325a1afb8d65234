// Supervised output calibration against scikit-learn's and scipy's, and what its two kinds can and can't do.
#include "golden_statistics.hpp"

#include <act/error.hpp>
#include <act/statistics/label_likelihood.hpp>
#include <act/statistics/label_map.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

using act::statistics::fit_label_map;
using act::statistics::label_map_kind;
using act::statistics::score_table;

namespace {

double accuracy(const score_table& scores, const std::vector<std::size_t>& labels) {
  double right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    right += act::statistics::predicted_label(scores[i]) == labels[i] ? 1 : 0;
  return right / static_cast<double>(scores.size());
}

// Six samples of each of three labels, whose right label scores highest; each a little different.
struct easy_samples {
  score_table scores;
  std::vector<std::size_t> labels;

  easy_samples() {
    for (std::size_t i = 0; i < 18; ++i) {
      labels.push_back(i % 3);
      scores.push_back({0.1 * static_cast<double>(i % 5), 0.1 * static_cast<double>(i % 4), 0});
      scores.back()[i % 3] += 2;
    }
  }
};

}  // namespace

TEST_CASE("both kinds give the golden probabilities") {
  for (const auto& golden : act_test::golden_statistics("label_maps")) {
    const auto labels = golden.at("labels").get<std::vector<std::size_t>>();
    const auto scores = golden.at("scores").get<score_table>();
    const auto unseen = golden.at("unseen").get<score_table>();
    for (const auto& [kind, called] :
         {std::pair{label_map_kind::linear, "linear"}, {label_map_kind::bias, "bias"}}) {
      const std::string name = called;
      CAPTURE(name);
      const auto map = fit_label_map(scores, labels, kind, golden.at("penalty").get<double>());
      REQUIRE(map.has_value());
      for (std::size_t i = 0; i < unseen.size(); ++i) {
        const std::vector<double> mapped = (*map)(unseen[i]);
        for (std::size_t label = 0; label < mapped.size(); ++label) {
          CHECK(act::statistics::label_log_likelihood(mapped, label) ==
                doctest::Approx(golden.at(name)[i][label].get<double>()).epsilon(2e-4));
        }
      }
    }
  }
}

TEST_CASE("a bias takes a label prior away, and a linear map unties labels that are swapped") {
  easy_samples samples;
  score_table shifted = samples.scores, swapped = samples.scores;
  for (std::size_t i = 0; i < shifted.size(); ++i) {
    shifted[i][1] += 7;
    std::swap(swapped[i][0], swapped[i][2]);
  }
  CHECK(accuracy(shifted, samples.labels) < 0.4);
  CHECK(accuracy((*fit_label_map(shifted, samples.labels, label_map_kind::bias))(shifted), samples.labels) ==
        1);
  CHECK(accuracy((*fit_label_map(swapped, samples.labels, label_map_kind::bias))(swapped), samples.labels) <
        0.7);
  CHECK(accuracy((*fit_label_map(swapped, samples.labels, label_map_kind::linear))(swapped),
                 samples.labels) == 1);
}

TEST_CASE("a linear map doesn't change with the scores' place and scale") {
  const easy_samples samples;
  score_table moved = samples.scores;
  for (std::vector<double>& row : moved)
    row = {row[0] * 100 + 5, row[1] * 100 - 3, row[2] * 100};
  const auto map = fit_label_map(samples.scores, samples.labels, label_map_kind::linear);
  const auto map_of_moved = fit_label_map(moved, samples.labels, label_map_kind::linear);
  REQUIRE((map && map_of_moved));
  CHECK(map->penalty == map_of_moved->penalty);
  for (std::size_t i = 0; i < moved.size(); ++i) {
    for (std::size_t label = 0; label < 3; ++label) {
      CHECK(act::statistics::label_log_likelihood((*map)(samples.scores[i]), label) ==
            doctest::Approx(act::statistics::label_log_likelihood((*map_of_moved)(moved[i]), label))
                .epsilon(1e-6));
    }
  }
}

TEST_CASE("labels that scores say nothing of get a strong penalty") {
  score_table noise;
  std::vector<std::size_t> labels;
  for (std::size_t i = 0; i < 40; ++i) {
    noise.push_back({std::sin(static_cast<double>(i * i)), std::cos(static_cast<double>(3 * i * i + 1))});
    labels.push_back(i / 7 % 2);
  }
  CHECK(fit_label_map(noise, labels, label_map_kind::linear)->penalty >= 0.1);
  const easy_samples easy;
  CHECK(fit_label_map(easy.scores, easy.labels, label_map_kind::linear)->penalty < 0.1);
}

TEST_CASE("maps that aren't defined are none, sizes that don't fit are refused") {
  const easy_samples samples;
  const auto without = [&](auto&& change) {
    easy_samples changed = samples;
    change(changed);
    return fit_label_map(changed.scores, changed.labels, label_map_kind::linear);
  };
  CHECK(without([](easy_samples&) {}).has_value());
  CHECK(!without([](easy_samples& s) { s.scores.resize(9), s.labels.resize(9); }));
  CHECK(!without([](easy_samples& s) { s.scores[3].push_back(1); }));
  CHECK(!without([](easy_samples& s) { s.scores[3][0] = std::numeric_limits<double>::infinity(); }));
  CHECK(!without([](easy_samples& s) { s.labels.assign(s.labels.size(), 1); }));
  CHECK(!fit_label_map({}, {}, label_map_kind::bias));
  CHECK_THROWS_AS((void)without([](easy_samples& s) { s.labels.pop_back(); }), act::error);
  CHECK_THROWS_AS((void)without([](easy_samples& s) { s.labels[2] = 3; }), act::error);
  CHECK_THROWS_AS((void)fit_label_map(samples.scores, samples.labels, label_map_kind::bias, -1), act::error);
}
