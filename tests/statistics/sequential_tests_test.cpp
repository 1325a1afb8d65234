// Tests that may be looked at after every sample: how often they are wrong over all looks together.
#include <doctest/doctest.h>
#include <act/statistics/sequential_tests.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace {

// Shuffled, whatever the standard library.
template <class Value>
void shuffle(std::vector<Value>& values, std::mt19937_64& draw) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[draw() % i]);
}

// Probability of `hits` among `seen` drawn of `all`, `number` of which are hits: sample by sample.
double hypergeometric(std::size_t all, std::size_t number, std::size_t seen, std::size_t hits) {
  std::vector<double> chance(seen + 2, 0.0);
  chance[0] = 1;
  for (std::size_t drawn = 0; drawn < seen; ++drawn) {
    for (std::size_t found = drawn + 1; found-- > 0;) {
      const double hit =
          found > number ? 0 : static_cast<double>(number - found) / static_cast<double>(all - drawn);
      chance[found + 1] += chance[found] * std::max(hit, 0.0);
      chance[found] *= 1 - std::max(hit, 0.0);
    }
  }
  return chance[hits];
}

}  // namespace

TEST_CASE("the mean of all is farther than the radius at any look as rarely as the risk says") {
  std::mt19937_64 draw(7);
  for (const double risk : {0.05, 0.2}) {
    for (const bool skewed : {false, true}) {
      constexpr std::size_t population = 160, trials = 2000;
      std::size_t above = 0;
      for (std::size_t trial = 0; trial < trials; ++trial) {
        std::vector<double> values(population);
        double all = 0;
        for (double& value : values) {
          const double uniform = (static_cast<double>(draw() >> 11) + 0.5) * 0x1p-53;
          value = skewed ? -std::log(uniform) : uniform;
          all += value / population;
        }
        double sum = 0, squares = 0;
        bool out = false;
        for (std::size_t seen = 1; seen <= population; ++seen) {
          const double value = values[seen - 1];
          sum += value;
          squares += value * value;
          const auto n = static_cast<double>(seen);
          if (seen < 20) continue;
          const double deviation = std::sqrt(std::max(0.0, squares - sum / n * sum) / (n - 1));
          // The mean of all lies above what the looks allow.
          out =
              out || all > sum / n + act::statistics::mean_radius(deviation, seen, population, risk) + 1e-12;
        }
        above += out ? 1 : 0;
      }
      CAPTURE(skewed);
      CHECK(static_cast<double>(above) / trials <= (skewed ? 3.3 : 1.0) * risk);
      CHECK(above > 0);  // a bound that is never reached would stop no head
    }
  }
}

TEST_CASE("the radius shrinks to nothing, and with more risk") {
  double before = 1e9;
  for (std::size_t seen = 1; seen <= 200; ++seen) {
    const double radius = act::statistics::mean_radius(1, seen, 200, 0.05);
    CHECK(radius < before);
    CHECK(radius > act::statistics::mean_radius(1, seen, 200, 0.1) - 1e-12);
    before = radius;
  }
  CHECK(before == 0);
  CHECK(act::statistics::mean_radius(3, 50, 200, 0.05) ==
        doctest::Approx(3 * act::statistics::mean_radius(1, 50, 200, 0.05)));
}

TEST_CASE("a net gain is ruled out where even the likeliest one is too unlikely") {
  // Against the definition, with probabilities found another way.
  const auto by_definition = [](const act::statistics::flips_seen& seen, double risk) {
    double best = 0;
    for (std::size_t gains = 0; gains <= seen.all_wrong; ++gains) {
      for (std::size_t losses = 0; losses < gains && losses <= seen.all_right; ++losses) {
        best = std::max(best, hypergeometric(seen.all_wrong, gains, seen.wrong, seen.gained) *
                                  hypergeometric(seen.all_right, losses, seen.right, seen.lost));
      }
    }
    const double under_priors = 1 / static_cast<double>(seen.wrong + 1) / static_cast<double>(seen.right + 1);
    return best / under_priors <= risk;
  };
  std::size_t out = 0, in = 0;
  for (std::size_t gained = 0; gained <= 3; ++gained) {
    for (std::size_t lost = 0; lost <= 12; ++lost) {
      const act::statistics::flips_seen seen{
          .wrong = 10, .gained = gained, .right = 14, .lost = lost, .all_wrong = 20, .all_right = 28};
      CAPTURE(gained);
      CAPTURE(lost);
      for (const double risk : {0.01, 0.05, 0.3}) {
        const bool ruled_out = act::statistics::rules_out_net_gain(seen, risk);
        CHECK(ruled_out == by_definition(seen, risk));
        (ruled_out ? out : in) += 1;
      }
    }
  }
  CHECK(out > 10);
  CHECK(in > 10);
}

TEST_CASE("where too few wrong answers are left no risk is taken") {
  act::statistics::flips_seen seen{
      .wrong = 8, .gained = 1, .right = 40, .lost = 3, .all_wrong = 10, .all_right = 50};
  CHECK(act::statistics::rules_out_net_gain(seen, 1e-9));  // 1 + 2 <= 3
  seen.all_wrong = 11;
  CHECK(!act::statistics::rules_out_net_gain(seen, 1e-9));
  seen = {.wrong = 10, .gained = 4, .right = 10, .lost = 4, .all_wrong = 10, .all_right = 10};
  CHECK(act::statistics::rules_out_net_gain(seen, 1e-9));  // all seen, none won
  seen.lost = 3;
  CHECK(!act::statistics::rules_out_net_gain(seen, 0.4));  // all seen, one won
}

TEST_CASE("a head that gains is stopped as rarely as the risk says, however often one looks") {
  std::mt19937_64 draw(11);
  struct population {
    std::size_t wrong, gained, right, lost;
  };
  for (const population& of :
       {population{60, 9, 100, 8}, population{40, 3, 60, 2}, population{50, 20, 50, 19}}) {
    constexpr double risk = 0.2;
    constexpr std::size_t trials = 1000;
    std::size_t stopped = 0;
    for (std::size_t trial = 0; trial < trials; ++trial) {
      std::vector<int> samples;  // 0, 1: plain wrong, and gained; 2, 3: plain right, and lost
      samples.insert(samples.end(), of.wrong - of.gained, 0);
      samples.insert(samples.end(), of.gained, 1);
      samples.insert(samples.end(), of.right - of.lost, 2);
      samples.insert(samples.end(), of.lost, 3);
      shuffle(samples, draw);
      act::statistics::flips_seen seen{.all_wrong = of.wrong, .all_right = of.right};
      bool out = false;
      for (const int sample : samples) {
        seen.wrong += sample < 2 ? 1 : 0;
        seen.gained += sample == 1 ? 1 : 0;
        seen.right += sample >= 2 ? 1 : 0;
        seen.lost += sample == 3 ? 1 : 0;
        out = out || act::statistics::rules_out_net_gain(seen, risk);
      }
      stopped += out ? 1 : 0;
    }
    CHECK(static_cast<double>(stopped) / trials <= risk);
  }
}
