// Which tokens of a long text are counted, from which context.
#include "message_of.hpp"

#include <act/tasks/perplexity.hpp>
#include <act/tasks/score_perplexity.hpp>

#include <doctest/doctest.h>

#include <cmath>

using windows = std::vector<act::tasks::perplexity_window>;

TEST_CASE("windows of a text longer than the context") {
  CHECK(act::tasks::perplexity_windows(10, 4, 2) == windows{{0, 4, 1}, {2, 6, 4}, {4, 8, 6}, {6, 10, 8}});
  CHECK(act::tasks::perplexity_windows(9, 4, 2) == windows{{0, 4, 1}, {2, 6, 4}, {4, 8, 6}, {6, 9, 8}});
  CHECK(act::tasks::perplexity_windows(10, 4, 4) == windows{{0, 4, 1}, {4, 8, 5}, {8, 10, 9}});
  CHECK(act::tasks::perplexity_windows(9, 4, 4) ==
        windows{{0, 4, 1}, {4, 8, 5}});  // the last token has no context
  CHECK(act::tasks::perplexity_windows(3, 8, 8) == windows{{0, 3, 1}});
  CHECK(act::tasks::perplexity_windows(2, 2, 1) == windows{{0, 2, 1}});
}

TEST_CASE("every token but the first is counted once when windows overlap") {
  for (std::size_t tokens = 2; tokens < 40; ++tokens) {
    for (std::size_t context = 2; context < 12; ++context) {
      for (std::size_t stride = 1; stride <= context; ++stride) {
        std::vector<int> counted(tokens);
        for (const auto& window : act::tasks::perplexity_windows(tokens, context, stride)) {
          CHECK(window.end - window.begin <= context);
          CHECK(window.first_scored > window.begin);
          for (std::size_t t = window.first_scored; t < window.end; ++t) {
            ++counted[t];
          }
        }
        for (std::size_t t = 0; t < tokens; ++t) {
          CHECK(counted[t] == (t == 0 || (stride == context && t % stride == 0) ? 0 : 1));
        }
      }
    }
  }
}

TEST_CASE("bad windows are refused") {
  const std::string stride = "stride: must be from 1 to the context, and the context at least 2";
  CHECK(act_test::message_of([] { return act::tasks::perplexity_windows(9, 4, 0); }) == stride);
  CHECK(act_test::message_of([] { return act::tasks::perplexity_windows(9, 4, 5); }) == stride);
  CHECK(act_test::message_of([] { return act::tasks::perplexity_windows(9, 1, 1); }) == stride);
  CHECK(act_test::message_of([] { return act::tasks::perplexity_windows(1, 4, 2); }) ==
        "text: must have at least 2 tokens; is the file empty?");
}

TEST_CASE("perplexity is the exponential of the mean") {
  CHECK(act::tasks::perplexity(-3 * std::log(7.0), 3) == doctest::Approx(7));
  CHECK(std::isinf(act::tasks::perplexity(0, 0)));
}

TEST_CASE("a single window has no interval") {
  act::tasks::window_scores scores;
  scores.counted = {4};
  scores.plain = {-2.0};
  scores.calibrated = {-1.9};
  CHECK_FALSE(act::tasks::evaluate(scores).difference_ci95.has_value());
  scores.counted.push_back(5);
  scores.plain.push_back(-2.5);
  scores.calibrated.push_back(-2.6);
  const auto range = act::tasks::evaluate(scores).difference_ci95;
  REQUIRE(range.has_value());
  CHECK(range->lo < range->hi);
}
