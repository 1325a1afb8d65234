// Calibration as a bias before the softmax: the calibrated row, and no bias where a row stays.
#include <act/calibrate_row.hpp>
#include <act/logit_bias.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "random/random_numbers.hpp"

TEST_CASE("softmax of biased scores is the calibrated row") {
  act_test::random_numbers random(3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t keys = 2 + random.below(30);
    std::vector<double> score(keys);
    std::vector<bool> is_sink(keys);
    for (std::size_t j = 0; j < keys; ++j) {
      score[j] = 2 * random.normal();
      is_sink[j] = j > 0 && random.one_in(4);
    }
    const double learned = round % 2 == 0 ? random.normal() : -std::numeric_limits<double>::infinity();
    const auto softmax = [&](double at_sinks, double at_learned) {
      std::vector<double> weight(keys);
      double sum = std::exp(learned + at_learned);
      for (std::size_t j = 0; j < keys; ++j)
        sum += weight[j] = std::exp(score[j] + (is_sink[j] ? at_sinks : 0));
      for (double& each : weight)
        each /= sum;
      return weight;
    };
    std::vector<double> row = softmax(0, 0);
    double on_sinks = 0, elsewhere = 0;
    std::vector<std::size_t> sinks;
    for (std::size_t j = 0; j < keys; ++j) {
      (is_sink[j] ? on_sinks : elsewhere) += row[j];
      if (is_sink[j]) sinks.push_back(j);
    }
    const act::row_bias bias = act::logit_bias(on_sinks, elsewhere);
    act::calibrate_row<double>(row, {0, keys}, sinks);
    const auto biased = softmax(bias.sinks, bias.learned_sink);
    for (std::size_t j = 0; j < keys; ++j)
      CHECK(std::abs(biased[j] - row[j]) <= 1e-14);
  }
}

TEST_CASE("rows that stay have no bias, beta = 0 shuts sinks out") {
  CHECK(act::logit_bias(0, 1).sinks == 0);
  CHECK(act::logit_bias(1, 0).sinks == 0);
  CHECK(act::logit_bias(1, 0x1p-21).sinks == 0);
  CHECK(act::logit_bias(0.5, std::nan("")).sinks == 0);
  CHECK(act::logit_bias(0.5, 0.5, {.beta = 1}).sinks == 0);
  CHECK(std::isinf(act::logit_bias(0.5, 0.5, {.beta = 0}).sinks));
  CHECK(act::logit_bias(0.5, 0.5, {.beta = 0}).learned_sink == doctest::Approx(-std::log(2.0)));
  CHECK_THROWS_AS((void)act::logit_bias(0.5, 0.5, {.beta = 2}), act::error);
  CHECK_THROWS_AS((void)act::logit_bias(0.5, 0.5, {.redistribute = act::redistribution::uniform}),
                  act::error);
}
