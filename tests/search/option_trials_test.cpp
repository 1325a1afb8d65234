// Trials over options, each a text of its own of which several rows count: their scores must be those of a
// whole calibrated pass over every text, their work what the sinks say.
#include <doctest/doctest.h>
#include <act/search/trials.hpp>
#include <act/tasks/score_samples.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "search/plain_sinks.hpp"
#include "search/tiny_search.hpp"

using act_test::largest_difference;

namespace {

// What the whole passes say: with `head` alone calibrated, and plain.
act::tasks::sample_scores whole_passes(const act_test::tiny_search& tiny, act::layer_head head) {
  act::runtime::model_calibration calibration{.heads = {head}, .options = tiny.plan.options};
  if (tiny.plan.options.redistribute != act::redistribution::subset) {
    return act::tasks::score_samples(tiny.model, tiny.plan.samples, calibration);
  }
  // The core's own option takes the positions of one text.
  act::tasks::sample_scores scores;
  for (const act::tasks::prepared_sample& sample : tiny.plan.samples) {
    std::vector<double>& plain = scores.plain.emplace_back();
    std::vector<double>& calibrated = scores.calibrated.emplace_back();
    for (std::size_t option = 0; option < sample.options.size(); ++option) {
      const std::vector<std::vector<act::runtime::scored_text>> alone{{sample.options[option]}};
      calibration.options.subset = sample.option_subsets[option];
      const auto sums = act::runtime::sum_log_probabilities(tiny.model, alone, calibration);
      const auto bytes = static_cast<double>(sample.option_bytes[option]);
      plain.push_back(sums.plain[0][0] / bytes);
      calibrated.push_back(sums.calibrated[0][0] / bytes);
    }
  }
  return scores;
}

// As a part of the largest score of the model's: without a final norm logits, and their rounding, are larger.
constexpr double relative_tolerance = 1e-5;

// Sinks in the prompt, inside the option, and at its very end.
act_test::tiny_search with_many_sinks(act_test::tiny_search tiny) {
  tiny.plan.options.sinks.alpha = 2;
  return act_test::with_options(std::move(tiny));
}

std::size_t check_trials(const act_test::tiny_search& tiny) {
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  const std::size_t heads = tiny.model.config.heads;
  double worst = 0, largest = 0;
  std::size_t moved = 0;
  for (std::size_t layer = tiny.plan.range.first; layer <= tiny.plan.range.last; ++layer) {
    const act::search::layer_trials trials = runner.run(layer);
    for (std::size_t head = 0; head < heads; ++head) {
      const act::tasks::sample_scores expected = whole_passes(tiny, {layer, head});
      for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
        const auto& scores = trials.scores[sample * heads + head];
        const auto& plain = runner.plain_scores()[sample];
        worst = std::max({worst, largest_difference(plain, expected.plain[sample]),
                          largest_difference(scores, expected.calibrated[sample])});
        for (const double score : plain)
          largest = std::max(largest, std::abs(score));
        moved += largest_difference(scores, plain) > 1e-3 ? 1 : 0;
        if (trials.has_sinks[sample * heads + head] == 0) CHECK(scores == plain);
      }
    }
  }
  MESSAGE("largest difference of a score " << worst << ", largest score " << largest);
  CHECK(worst < relative_tolerance * largest);
  return moved;
}

}  // namespace

TEST_CASE("trials over options equal whole calibrated passes over every text") {
  act_test::tiny_search tiny = with_many_sinks(act_test::make_tiny_search());
  SUBCASE("proportional, the paper's") {}
  SUBCASE("the paper's threshold") {
    tiny.plan.options.sinks.alpha = 5;
  }
  SUBCASE("uniform") {
    tiny.plan.options.redistribute = act::redistribution::uniform;
  }
  SUBCASE("a subset of each text") {
    tiny = act_test::with_subsets(std::move(tiny));
  }
  SUBCASE("temperature, which changes rows without sinks too") {
    tiny.plan.options.redistribute = act::redistribution::temperature;
    tiny.plan.options.theta = 2;
  }
  SUBCASE("the authors' behaviour") {
    tiny.plan.options.sinks.rule = act::sink_rule::absolute;
    tiny.plan.options.behave_as = act::compatibility::authors;
  }
  CHECK(check_trials(tiny) > 20);  // the comparison would mean nothing if calibration changed nothing
}

TEST_CASE("trials over options equal whole passes on OPT and on Llama folders") {
  for (const char* name : {"tiny-opt-prenorm", "tiny-opt-postnorm", "tiny-opt-bare", "tiny-opt-nofinal",
                           "tiny-llama-old-config", "tiny-llama-new-config"}) {
    CAPTURE(name);
    CHECK(check_trials(with_many_sinks(act_test::make_tiny_folder_search(name))) > 5);
  }
}

TEST_CASE("the work of trials over options is what tokens and sinks say, to the row") {
  const act_test::tiny_search tiny = with_many_sinks(act_test::make_tiny_search());
  const act::runtime::model_config& config = tiny.model.config;
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);

  // The plain pass with its sinks, driven by hand over every text.
  std::vector<std::vector<act::runtime::token_id>> texts;
  for (const auto& sample : tiny.plan.samples) {
    for (const auto& option : sample.options)
      texts.push_back(option.tokens);
  }
  const act::runtime::packed_prompts packed = act::runtime::pack(config, texts);
  const act::runtime::rotary_tables rotary(config.rotary, packed.positions);
  act::runtime::matrix hidden = act::runtime::embed(tiny.model, packed);
  act::runtime::layer_buffers buffers;
  CHECK(runner.plain_work().layer_rows_computed == packed.rows() * config.layers);

  std::size_t whole = 0, in_option = 0, at_end = 0, all_shared = 0;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    CAPTURE(layer);
    act::runtime::layer_alternatives found;
    act::runtime::run_layer_with_alternatives(
        tiny.model, layer, {.sequences = packed.sequences, .rotary = rotary},
        {.heads = {}, .options = tiny.plan.options}, hidden, buffers, found);
    const auto sinks = act_test::plain_sinks(config, layer, packed, buffers, tiny.plan.options.sinks.alpha);
    act::search::search_work expected;
    std::vector<std::vector<act_test::changed_text>> before(config.heads);
    std::size_t first_text = 0;
    for (const auto& sample : tiny.plan.samples) {
      for (std::size_t head = 0; head < config.heads; ++head) {
        ++expected.trials;
        std::uint64_t rows = 0, computed = 0;
        bool any_sinks = false;
        for (std::size_t option = 0; option < sample.options.size(); ++option) {
          const act::runtime::scored_text& text = sample.options[option];
          const act::runtime::head_alternative& at = found.found[(first_text + option) * config.heads + head];
          rows += text.tokens.size();
          if (!at.has_sinks) continue;
          any_sinks = true;
          const std::size_t end = text.tokens.size() - 1;  // the last token predicts none
          ++(at.first_row >= end ? at_end : at.first_row >= text.first_scored ? in_option : whole);
          if (at.first_row >= end) continue;
          const act_test::changed_text own{.tokens = text.tokens,
                                           .sinks = sinks[(first_text + option) * config.heads + head],
                                           .end = end,
                                           .first_scored = text.first_scored - 1};
          REQUIRE(own.sinks.front() == at.first_row);
          const std::size_t counting = end - std::max(at.first_row, text.first_scored - 1);
          const std::size_t shared = own.most_shared(before[head]);
          computed += layer + 1 == config.layers ? counting : (own.rows() - shared) * (config.layers - layer);
          all_shared += shared;
          before[head].push_back(own);
        }
        expected.trials_without_sinks += any_sinks ? 0 : 1;
        expected.layer_rows_computed += computed;
        expected.layer_rows_avoided += rows * config.layers - computed;
      }
      first_text += sample.options.size();
    }
    CHECK(runner.run(layer).work == expected);
  }
  CHECK(whole > 20);
  CHECK(in_option > 5);
  CHECK(at_end > 5);
  CHECK(all_shared > 100);
}

TEST_CASE("options without tokens of their own are refused") {
  act_test::tiny_search tiny = act_test::with_options(act_test::make_tiny_search());
  tiny.plan.samples[1].options[0].tokens.resize(tiny.plan.samples[1].options[0].first_scored);
  CHECK_THROWS_WITH_AS(act::search::trial_runner(tiny.model, tiny.plan.samples, tiny.plan.options,
                                                 tiny.plan.range, tiny.plan.masks),
                       doctest::Contains("sample 1"), act::error);
}
