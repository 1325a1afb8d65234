#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/sampling.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace {

const std::vector<float> logits{1.0F, 3.0F, -2.0F, 3.0F, 0.5F, -std::numeric_limits<float>::infinity()};

std::vector<act::runtime::token_id> tokens_of(const std::vector<act::runtime::token_probability>& from) {
  std::vector<act::runtime::token_id> tokens;
  for (const auto& each : from)
    tokens.push_back(each.token);
  return tokens;
}

using tokens = std::vector<act::runtime::token_id>;

}  // namespace

TEST_CASE("greedy takes the first of the most likely") {
  act::runtime::sampler greedy;
  CHECK(greedy(logits) == 1);
  CHECK(greedy(logits) == 1);
  CHECK(tokens_of(act::runtime::candidates(logits, {})) == tokens{1});
}

TEST_CASE("temperature, top-k and top-p give the probabilities they should") {
  const auto all = act::runtime::candidates(logits, {.temperature = 0.5});
  REQUIRE(tokens_of(all) == tokens{1, 3, 0, 4, 2, 5});
  double total = 0;
  for (const float each : logits)
    total += std::exp(2.0 * static_cast<double>(each));
  for (const auto& each : all) {
    CHECK(each.probability ==
          doctest::Approx(std::exp(2.0 * static_cast<double>(logits[static_cast<std::size_t>(each.token)])) /
                          total));
  }
  CHECK(all.back().probability == 0.0);

  const auto three = act::runtime::candidates(logits, {.temperature = 1, .top_k = 3});
  REQUIRE(tokens_of(three) == tokens{1, 3, 0});
  const double sum = 2 * std::exp(3.0) + std::exp(1.0);
  CHECK(three[0].probability == doctest::Approx(std::exp(3.0) / sum));
  CHECK(three[2].probability == doctest::Approx(std::exp(1.0) / sum));
  CHECK(tokens_of(act::runtime::candidates(logits, {.temperature = 1, .top_k = 99})).size() == 6);

  // 0.4337, 0.4337, 0.0587, ...: the token that reaches p belongs to the set
  CHECK(tokens_of(act::runtime::candidates(logits, {.temperature = 1, .top_p = 0.01})) == tokens{1});
  CHECK(tokens_of(act::runtime::candidates(logits, {.temperature = 1, .top_p = 0.5})) == tokens{1, 3});
  CHECK(tokens_of(act::runtime::candidates(logits, {.temperature = 1, .top_p = 0.9})) == tokens{1, 3, 0});
  // top-p is of what top-k left: 0.5 of {1, 3}
  const auto one = act::runtime::candidates(logits, {.temperature = 1, .top_k = 2, .top_p = 0.5});
  REQUIRE(tokens_of(one) == tokens{1});
  CHECK(one.front().probability == 1.0);
  // even the smallest temperature divides nothing by zero
  CHECK(tokens_of(act::runtime::candidates(logits, {.temperature = 1e-300, .top_p = 0.99})) == tokens{1, 3});
}

TEST_CASE("draws follow the probabilities, and a seed is a stream") {
  const act::runtime::sampling_options options{.temperature = 1.5, .top_k = 5, .top_p = 0.97, .seed = 11};
  const auto from = act::runtime::candidates(logits, options);
  std::array<double, 6> counted{};
  act::runtime::sampler draw(options);
  constexpr int draws = 200000;
  for (int i = 0; i < draws; ++i)
    ++counted[static_cast<std::size_t>(draw(logits))];
  double inside = 0;
  for (const auto& each : from) {
    const double expected = draws * each.probability;
    const double deviation = std::sqrt(expected * (1 - each.probability));
    CAPTURE(each.token);
    CHECK(std::abs(counted[static_cast<std::size_t>(each.token)] - expected) < 4 * deviation);
    inside += counted[static_cast<std::size_t>(each.token)];
  }
  CHECK(inside == draws);

  act::runtime::sampler a(options), b(options), c({.temperature = 1.5, .seed = 12});
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    const act::runtime::token_id drawn = a(logits);
    CHECK(drawn == b(logits));
    same += drawn == c(logits) ? 1 : 0;
  }
  CHECK(same < 90);
}

TEST_CASE("options out of range and logits that aren't numbers are refused") {
  CHECK_THROWS_AS(act::runtime::sampler({.temperature = -1}), act::error);
  CHECK_THROWS_AS(act::runtime::sampler({.temperature = std::nan("")}), act::error);
  CHECK_THROWS_AS(act::runtime::sampler({.temperature = std::numeric_limits<double>::infinity()}),
                  act::error);
  CHECK_THROWS_AS(act::runtime::sampler({.temperature = 1, .top_p = 0}), act::error);
  CHECK_THROWS_AS(act::runtime::sampler({.temperature = 1, .top_p = 1.1}), act::error);
  act::runtime::sampler greedy;
  CHECK_THROWS_AS((void)greedy({}), act::error);
  const std::vector<float> nan{0.0F, std::nanf(""), 1.0F};
  CHECK_THROWS_AS((void)greedy(nan), act::error);
  const std::vector<float> infinite{0.0F, std::numeric_limits<float>::infinity()};
  CHECK_THROWS_AS((void)greedy(infinite), act::error);
}
