// The greedy token among a few answers and everything else, against the logits of the whole vocabulary.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/greedy_logits.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t width = 24;

// A model that is nothing but its output matrix, of more than one block's words.
struct only_output {
  std::vector<float> weights;
  act::runtime::model model;

  explicit only_output(std::size_t words) : weights(words * width) {
    std::mt19937 random(static_cast<unsigned>(words));
    std::normal_distribution<float> normal;
    for (float& each : weights)
      each = normal(random);
    model.config.architecture = "test";
    model.output = act::runtime::output_matrix(
        act::runtime::stored_matrix(act::runtime::tensor_view{.name = "output.weight",
                                                              .type = act::runtime::tensor_type::f32,
                                                              .shape = {words, width},
                                                              .bytes = std::as_bytes(std::span(weights))}));
  }
};

act::runtime::matrix hidden_rows(std::size_t rows) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  act::runtime::matrix hidden(rows, width);
  for (std::size_t i = 0; i < hidden.size(); ++i)
    hidden.data()[i] = normal(random);
  return hidden;
}

}  // namespace

TEST_CASE("greedy logits: the best of each answer's tokens, and the best of all others") {
  for (const std::size_t words : {5U, 512U, 1300U}) {
    CAPTURE(words);
    const only_output of(words);
    const act::runtime::matrix hidden = hidden_rows(9);
    act::runtime::matrix all(9, words);
    of.model.output.all_logits(hidden, all);
    const auto last = static_cast<act::runtime::token_id>(words - 1);
    // Ends of blocks, several tokens an answer in no order, another number of answers in each prompt.
    const act::runtime::answer_tokens two{{last, 0}, {3}};
    const act::runtime::answer_tokens three{
        {1}, {last, 2, static_cast<act::runtime::token_id>(words / 2)}, {4 % last, 0}};
    std::vector<const act::runtime::answer_tokens*> answers;
    for (std::size_t i = 0; i < 9; ++i)
      answers.push_back(i % 2 == 0 ? &two : &three);
    const auto scores = act::runtime::greedy_logits(of.model, hidden, answers);
    REQUIRE(scores.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) {
      REQUIRE(scores[i].size() == answers[i]->size() + 1);
      std::set<act::runtime::token_id> taken;
      for (std::size_t answer = 0; answer < answers[i]->size(); ++answer) {
        float best = std::numeric_limits<float>::lowest();
        for (const act::runtime::token_id token : (*answers[i])[answer]) {
          taken.insert(token);
          best = std::max(best, all(i, static_cast<std::size_t>(token)));
        }
        CHECK(scores[i][answer] == doctest::Approx(static_cast<double>(best)).epsilon(1e-5));
      }
      float other = std::numeric_limits<float>::lowest();
      for (std::size_t token = 0; token < words; ++token) {
        if (!taken.contains(static_cast<act::runtime::token_id>(token)))
          other = std::max(other, all(i, token));
      }
      CHECK(scores[i].back() == doctest::Approx(static_cast<double>(other)).epsilon(1e-5));
    }
  }
}

TEST_CASE("greedy logits: threads don't change a bit, and an answer says what the argmax says") {
  const only_output of(2000);
  const act::runtime::matrix hidden = hidden_rows(40);
  act::runtime::matrix all(40, 2000);
  of.model.output.all_logits(hidden, all);
  // Of each prompt the greedy token is answer 1, 0 or none, in turn.
  std::vector<act::runtime::answer_tokens> answers;
  for (std::size_t i = 0; i < 40; ++i) {
    const std::span<const float> row = std::as_const(all).row(i);
    const auto [worst, best] = std::minmax_element(row.begin(), row.end());
    const auto greedy = static_cast<act::runtime::token_id>(best - row.begin());
    const auto unlikely = static_cast<act::runtime::token_id>(worst - row.begin());
    if (i % 3 == 0) answers.push_back({{unlikely}, {greedy}});
    if (i % 3 == 1) answers.push_back({{greedy}, {unlikely}});
    if (i % 3 == 2) answers.push_back({{unlikely}});
  }
  std::vector<const act::runtime::answer_tokens*> of_prompt;
  for (const act::runtime::answer_tokens& each : answers)
    of_prompt.push_back(&each);
  act::set_thread_count(1);
  const auto serial = act::runtime::greedy_logits(of.model, hidden, of_prompt);
  act::set_thread_count(3);
  CHECK(serial == act::runtime::greedy_logits(of.model, hidden, of_prompt));
  act::set_thread_count(0);
  const std::size_t expected[] = {1, 0, 1};
  for (std::size_t i = 0; i < 40; ++i) {
    const auto largest = std::max_element(serial[i].begin(), serial[i].end()) - serial[i].begin();
    CHECK(static_cast<std::size_t>(largest) == expected[i % 3]);
  }
}

TEST_CASE("greedy logits: no prompts, and a logit that isn't finite") {
  only_output of(600);
  CHECK(act::runtime::greedy_logits(of.model, act::runtime::matrix(0, width), {}).empty());
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    of.weights[550 * width] = bad;
    const act::runtime::answer_tokens answers{{550}, {1}};
    const std::vector<const act::runtime::answer_tokens*> one{&answers};
    std::string message;
    try {
      (void)act::runtime::greedy_logits(of.model, hidden_rows(1), one);
    } catch (const act::error& problem) {
      message = problem.what();
    }
    CHECK(message.find("aren't finite") != std::string::npos);
  }
}
