// Observations added up: hand-made ones with sums that can be done by hand.
#include <act/inspection/summary.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace {

// Two layers of two heads; the sinks of head (1, 0) and (0, 1) as given.
act::inspection::prompt_observation prompt_with(std::vector<act::runtime::token_id> tokens,
                                                std::vector<act::inspection::observed_sink> lower,
                                                std::vector<act::inspection::observed_sink> upper,
                                                double first) {
  act::inspection::prompt_observation prompt{
      .layers = 2, .heads = 2, .tokens = std::move(tokens), .found = {}};
  prompt.found.resize(4);
  prompt.found[1].sinks = std::move(lower);
  prompt.found[2].sinks = std::move(upper);
  for (act::inspection::head_observation& head : prompt.found) {
    head.first_mass = first;
    head.first_over_threshold = first > 0.5;
    for (const act::inspection::observed_sink& sink : head.sinks)
      head.sink_mass += sink.mass;
  }
  return prompt;
}

}  // namespace

TEST_CASE("means per head, counts per token, places in the prompt") {
  act::inspection::inspection_accumulator all;
  all.add(prompt_with({7, 8, 9, 8}, {{1, 0.5, 0.25}, {3, 0.3, 0.125}}, {{2, 0.75, 0.5}}, 0.25));
  all.add(prompt_with({7, 9, 9, 9, 9, 9, 9, 9, 9, 8}, {{9, 0.5, 0.0625}}, {}, 0.75));
  const act::inspection::inspection_summary sum = all.summary();
  CHECK(sum.prompts == 2);
  CHECK(sum.layers == 2);
  CHECK(sum.heads == 2);
  CHECK(sum.tokens == 14);
  CHECK(sum.sinks == 4);
  CHECK(sum.first_over_threshold == 4);
  CHECK(sum.at(0, 0).sinks == 0);
  CHECK(sum.at(0, 1).sinks == 3);
  CHECK(sum.at(0, 1).prompts_with_sinks == 2);
  CHECK(sum.at(0, 1).sink_mass == (0.375 + 0.0625) / 2);
  CHECK(sum.at(0, 1).first_mass == 0.5);
  CHECK(sum.at(0, 1).first_over_threshold == 1);
  CHECK(sum.at(1, 0).prompts_with_sinks == 1);
  CHECK(sum.at(1, 0).sink_mass == 0.25);

  REQUIRE(sum.frequent.size() == 2);
  CHECK(sum.frequent[0].token == 8);
  CHECK(sum.frequent[0].count == 3);
  CHECK(sum.frequent[0].prompts == 2);
  CHECK(sum.frequent[1].token == 9);
  CHECK(sum.frequent[1].count == 1);

  REQUIRE(sum.head_tokens.size() == 2);  // 9 holds 0.5 of (1, 0), 8 in all 0.4375 of (0, 1)
  CHECK(sum.head_tokens[0].layer == 1);
  CHECK(sum.head_tokens[0].head == 0);
  CHECK(sum.head_tokens[0].token == 9);
  CHECK(sum.head_tokens[1].count == 3);
  CHECK(sum.head_tokens[1].prompts == 2);
  CHECK(sum.head_tokens[1].position == doctest::Approx((1 + 3 + 9) / 3.0));
  CHECK(sum.head_tokens[1].score == doctest::Approx(1.3 / 3));
  CHECK(sum.head_tokens[1].mass == doctest::Approx(0.4375 / 3));

  // Tenths of 4 tokens: positions 1, 2, 3 are 2, 5, 7; of 10 tokens position 9 is 9.
  std::array<std::size_t, 10> tenths{};
  tenths[2] = tenths[5] = tenths[7] = tenths[9] = 1;
  CHECK(sum.tenths == tenths);
}

TEST_CASE("scores are counted in bins of multiples of 1 / N") {
  using act::inspection::score_histogram;
  CHECK(score_histogram::bin_of(0) == 0);
  CHECK(score_histogram::bin_of(0.1) == 0);
  CHECK(score_histogram::bin_of(0.11) == 1);
  CHECK(score_histogram::bin_of(5) == 5);
  CHECK(score_histogram::bin_of(5.001) == 6);
  CHECK(score_histogram::bin_of(200) == 10);
  CHECK(score_histogram::bin_of(1e9) == 11);
  act::inspection::prompt_observation prompt = prompt_with({1, 2}, {}, {}, 0);
  prompt.found[1].scores.first[3] = 1;
  prompt.found[2].scores.first[3] = 1;
  prompt.found[2].scores.others[0] = 4;
  act::inspection::inspection_accumulator all;
  all.add(prompt);
  all.add(prompt);
  CHECK(all.summary().scores.first[3] == 4);
  CHECK(all.summary().scores.others[0] == 8);
  CHECK(all.summary().scores.sinks == score_histogram::bins{});
}

TEST_CASE("equal counts stand in the order of token ids") {
  const act::inspection::inspection_summary sum = act::inspection::summarise(
      prompt_with({1, 30, 20, 10}, {{1, 1, 0.1}, {2, 1, 0.1}, {3, 1, 0.1}}, {}, 0));
  REQUIRE(sum.frequent.size() == 3);
  CHECK(sum.frequent[0].token == 10);
  CHECK(sum.frequent[1].token == 20);
  CHECK(sum.frequent[2].token == 30);
  CHECK(sum.prompts == 1);
}

TEST_CASE("positions of one prompt: in how many heads, with what") {
  const auto positions = act::inspection::sink_positions(
      prompt_with({1, 2, 3, 4}, {{1, 0.2, 0.1}, {3, 0.4, 0.3}}, {{3, 0.8, 0.5}}, 0));
  REQUIRE(positions.size() == 2);
  CHECK(positions[0].position == 3);
  CHECK(positions[0].heads == 2);
  CHECK(positions[0].score == doctest::Approx(0.6));
  CHECK(positions[0].mass == doctest::Approx(0.4));
  CHECK(positions[1].position == 1);
  CHECK(positions[1].heads == 1);
}
