// Maps averaged over heads, layers and prompts.
#include <act/inspection/average_maps.hpp>
#include <act/inspection/observation.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace {

// A map of 2 * `side` tokens whose rows give `to_first` to the first token and the rest to themselves.
act::inspection::map_picture picture(std::size_t side, std::size_t tokens, float to_first) {
  std::vector<float> weights(tokens * tokens, 0.0F);
  for (std::size_t i = 0; i < tokens; ++i) {
    weights[i * tokens] += to_first;
    weights[i * tokens + i] += 1 - to_first;
  }
  act::inspection::map_picture made(tokens, side);
  made.add(act::attention_view<float>::packed(weights.data(), 1, 1, tokens, tokens));
  return made;
}

// Two layers of two heads.
act::inspection::prompt_observation prompt(std::size_t tokens, float more, bool calibrated) {
  act::inspection::prompt_observation made{
      .layers = 2, .heads = 2, .tokens = std::vector<act::runtime::token_id>(tokens, 1), .found = {}};
  for (const float to_first : {0.1F, 0.3F, 0.5F, 0.5F}) {
    made.pictures.push_back(picture(3, tokens, to_first + more));
    if (calibrated) made.calibrated.push_back(picture(3, tokens, to_first / 2));
  }
  return made;
}

}  // namespace

TEST_CASE("a layer's map is the mean over its heads and over prompts, whatever their length") {
  act::inspection::average_maps all;
  all.add(prompt(6, 0, true));
  all.add(prompt(12, 0.2F, true));
  CHECK(all.prompts() == 2);
  const auto before = all.before(), after = all.after();
  REQUIRE(before.size() == 2);
  REQUIRE(after.size() == 2);
  CHECK(before[0].side == 3);
  // Cells of two and of four tokens: the last row's first column has what the rows give to the first token.
  CHECK(before[0].share(2, 0) == doctest::Approx((0.2 + 0.4) / 2));
  CHECK(before[0].share(2, 2) == doctest::Approx(1 - (0.2 + 0.4) / 2));
  CHECK(before[0].share(0, 2) == 0);
  CHECK(before[1].share(2, 0) == doctest::Approx((0.5 + 0.7) / 2));
  CHECK(after[0].share(1, 0) == doctest::Approx(0.1));
  CHECK(after[1].share(1, 0) == doctest::Approx(0.25));
  const act::inspection::averaged_map whole = act::inspection::mean_of(before);
  CHECK(whole.side == 3);
  CHECK(whole.share(2, 0) == doctest::Approx((0.3 + 0.6) / 2));
}

TEST_CASE("without calibrated pictures there is nothing after, and without prompts nothing at all") {
  CHECK(act::inspection::averages_of(prompt(6, 0, false)).after().empty());
  CHECK(act::inspection::averages_of(prompt(6, 0, false)).before().size() == 2);
  CHECK(act::inspection::average_maps().before().empty());
  CHECK(act::inspection::mean_of(std::vector<act::inspection::averaged_map>{}).side == 0);
}

TEST_CASE("the mean map's sinks are those of the mean scores") {
  act::inspection::prompt_observation made = prompt(20, 0, false);
  // Of the 3rd token's two heads with 0.5 each: score 0.25 * 20 / 17 in the mean, over 5 / 20.
  made.received.assign(4, std::vector<double>(20, 0.001));
  made.received[1][3] = made.received[2][3] = 0.5;
  made.received[0][0] = 0.9;  // the first token is none
  CHECK(act::inspection::sinks_of_average(made) == std::vector<std::size_t>{3});
  made.received[2][3] = 0.1;
  CHECK(act::inspection::sinks_of_average(made).empty());
  CHECK(act::inspection::sinks_of_average(made, {.alpha = 3}) == std::vector<std::size_t>{3});
}
