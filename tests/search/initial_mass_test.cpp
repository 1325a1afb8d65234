// What heads give the initial token, as trials keep it, against PyTorch's maps (tests/golden/inspection).
#include <doctest/doctest.h>
#include <act/search/trials.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "search/tiny_search.hpp"

namespace {

nlohmann::json golden_scores() {
  std::ifstream in(std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "inspection" / "golden.json");
  return nlohmann::json::parse(in).at("prompts");
}

}  // namespace

TEST_CASE("the initial token's mass is the mean of its column in transformers' maps") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  SUBCASE("sinks weakened") {}
  SUBCASE("whole maps kept") {
    tiny.plan.options.redistribute = act::redistribution::uniform;
  }
  SUBCASE("the initial token changed") {
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::initial_token;
    tiny.plan.options.factor = 0.3;
  }
  SUBCASE("heads masked") {
    tiny.plan.masks = true;
  }
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  std::size_t compared = 0;
  for (const nlohmann::json& prompt : golden_scores()) {
    if (prompt.at("model") != "tiny-llama-mixed.gguf") continue;
    const auto tokens = prompt.at("tokens").get<std::vector<act::runtime::token_id>>();
    for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
      if (tiny.plan.samples[sample].prompt != tokens) continue;
      for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
        const act::search::layer_trials trials = runner.run(layer);
        for (std::size_t head = 0; head < tiny.model.config.heads; ++head) {
          const double expected = prompt.at("scores")[layer][head][0].get<double>();
          CHECK(std::fabs(trials.initial_mass[sample * tiny.model.config.heads + head] - expected) < 1e-5);
          ++compared;
        }
      }
    }
  }
  CHECK(compared >= 3 * tiny.model.config.layers * tiny.model.config.heads);
}

TEST_CASE("a sample of several texts has their mean mass") {
  const act_test::tiny_search tiny = act_test::with_options(act_test::make_tiny_search());
  const act::search::trial_runner together(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                           tiny.plan.masks);
  const act::search::layer_trials found = together.run(1);
  const std::size_t heads = tiny.model.config.heads;
  for (std::size_t sample = 0; sample < tiny.plan.samples.size(); sample += 2) {
    const auto& options = tiny.plan.samples[sample].options;
    std::vector<double> mean(heads);
    for (const act::runtime::scored_text& option : options) {
      // The option's text as a prompt.
      const std::vector<act::tasks::prepared_sample> alone{
          {.index = 0, .label = 0, .prompt = option.tokens, .words = {7, 50}}};
      const act::search::trial_runner one(tiny.model, alone, tiny.plan.options, tiny.plan.range, false);
      const act::search::layer_trials trials = one.run(1);
      for (std::size_t head = 0; head < heads; ++head)
        mean[head] += trials.initial_mass[head] / static_cast<double>(options.size());
    }
    for (std::size_t head = 0; head < heads; ++head)
      CHECK(std::fabs(found.initial_mass[sample * heads + head] - mean[head]) < 1e-6);
  }
}

TEST_CASE("rows behind a window don't see the initial token and don't count") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  constexpr std::size_t window = 4;
  tiny.model.config.attention.assign(tiny.model.config.layers, {.scale = 0, .window = window, .rotary = 0});
  const auto& longest =
      *std::max_element(tiny.plan.samples.begin(), tiny.plan.samples.end(),
                        [](const auto& a, const auto& b) { return a.prompt.size() < b.prompt.size(); });
  REQUIRE(longest.prompt.size() > 3 * window);
  act::tasks::prepared_sample start = longest;
  start.prompt.resize(window);
  const std::vector<act::tasks::prepared_sample> samples{longest, start};
  const act::search::trial_runner runner(tiny.model, samples, tiny.plan.options, tiny.plan.range, false);
  const std::size_t heads = tiny.model.config.heads;
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    const act::search::layer_trials trials = runner.run(layer);
    for (std::size_t head = 0; head < heads; ++head)
      CHECK(std::fabs(trials.initial_mass[head] - trials.initial_mass[heads + head]) < 1e-6);
  }
}
