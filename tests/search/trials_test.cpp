// Trials start in the middle and skip rows: their scores must be those of whole passes, their work what the
// sinks say.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/runtime/label_logits.hpp>
#include <act/search/head_attribution.hpp>
#include <act/search/scored_texts.hpp>
#include <act/search/trials.hpp>
#include <act/tasks/score_samples.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "search/tiny_search.hpp"

using act_test::largest_difference;

namespace {

std::vector<std::vector<double>> whole_pass_scores(const act_test::tiny_search& tiny, act::layer_head head) {
  std::vector<std::vector<act::runtime::token_id>> prompts;
  std::vector<std::span<const act::runtime::token_id>> words;
  for (const auto& sample : tiny.plan.samples) {
    prompts.push_back(sample.prompt);
    words.emplace_back(sample.words);
  }
  act::runtime::model_calibration calibration{.heads = {head}, .options = tiny.plan.options};
  calibration.masks = tiny.plan.masks;
  const bool spans = tiny.plan.options.columns == act::column_choice::span;
  if (tiny.plan.options.redistribute != act::redistribution::subset && !spans) {
    const act::runtime::packed_prompts packed = act::runtime::pack(tiny.model.config, prompts);
    return act::runtime::label_logits(
        tiny.model, act::runtime::run_both(tiny.model, packed, calibration).calibrated, words);
  }
  // The core's own option takes the positions of one prompt.
  std::vector<std::vector<double>> scores;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    (spans ? calibration.options.span : calibration.options.subset) = tiny.plan.samples[i].subset;
    const act::runtime::packed_prompts alone = act::runtime::pack(tiny.model.config, {&prompts[i], 1});
    const act::runtime::matrix hidden = act::runtime::run_both(tiny.model, alone, calibration).calibrated;
    scores.push_back(act::runtime::label_logits(tiny.model, hidden, {&words[i], 1}).front());
  }
  return scores;
}

// Logits of the tiny checkpoint reach 10; this is two orders below the tolerance against transformers (2e-4
// of that).
constexpr double logit_tolerance = 3e-5;

}  // namespace

TEST_CASE("every trial's scores equal a whole forward pass's") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  double worst = 0;
  std::size_t moved = 0;
  SUBCASE("proportional, the paper's") {}
  SUBCASE("uniform") {
    tiny.plan.options.redistribute = act::redistribution::uniform;
  }
  SUBCASE("inverse") {
    tiny.plan.options.redistribute = act::redistribution::inverse;
  }
  SUBCASE("a subset of each prompt") {
    tiny.plan.options.sinks.alpha = 2;
    tiny = act_test::with_subsets(std::move(tiny));
  }
  SUBCASE("temperature, which changes rows without sinks too") {
    tiny.plan.options.redistribute = act::redistribution::temperature;
    tiny.plan.options.theta = 2;
  }
  SUBCASE("the initial token weakened, as ZeroTuning does") {
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::initial_token;
    tiny.plan.options.factor = 0.3;
  }
  SUBCASE("a span strengthened, as PASTA and InstABoost do") {
    tiny = act_test::with_subsets(std::move(tiny));
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::span;
    tiny.plan.options.factor = 20;
  }
  SUBCASE("sinks strengthened") {
    tiny.plan.options.sinks.alpha = 2;
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.factor = 5;
  }
  SUBCASE("heads masked") {
    tiny.plan.masks = true;
  }
  SUBCASE("absolute rule") {
    tiny.plan.options.sinks.rule = act::sink_rule::absolute;
  }
  SUBCASE("the authors' behaviour") {
    tiny.plan.options.sinks.rule = act::sink_rule::absolute;
    tiny.plan.options.behave_as = act::compatibility::authors;
  }
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  const std::size_t heads = tiny.model.config.heads;
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    const act::search::layer_trials trials = runner.run(layer);
    for (std::size_t head = 0; head < heads; ++head) {
      const auto expected = whole_pass_scores(tiny, {layer, head});
      for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
        const auto& scores = trials.scores[sample * heads + head];
        worst = std::max(worst, largest_difference(scores, expected[sample]));
        moved += largest_difference(scores, runner.plain_scores()[sample]) > 1e-3 ? 1 : 0;
      }
    }
  }
  MESSAGE("largest difference of a logit " << worst);
  CHECK(worst < logit_tolerance);
  CHECK(moved > 20);  // the comparison would mean nothing if calibration changed nothing
}

TEST_CASE("trials by the greedy token equal whole forward passes") {
  const act_test::tiny_search tiny = act_test::with_greedy_tokens(act_test::make_tiny_search());
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  const std::size_t heads = tiny.model.config.heads;
  double worst = 0;
  std::size_t moved = 0;
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    const act::search::layer_trials trials = runner.run(layer);
    for (std::size_t head = 0; head < heads; ++head) {
      const act::runtime::model_calibration calibration{.heads = {act::layer_head{layer, head}},
                                                        .options = tiny.plan.options};
      const act::tasks::sample_scores expected =
          act::tasks::score_samples(tiny.model, tiny.plan.samples, calibration);
      for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
        const auto& scores = trials.scores[sample * heads + head];
        REQUIRE(scores.size() == 4);  // three answers and any other token
        worst = std::max({worst, largest_difference(scores, expected.calibrated[sample]),
                          largest_difference(runner.plain_scores()[sample], expected.plain[sample])});
        moved += largest_difference(scores, runner.plain_scores()[sample]) > 1e-3 ? 1 : 0;
      }
    }
  }
  CHECK(worst < logit_tolerance);
  CHECK(moved > 20);
}

TEST_CASE("the work of a search is what the heads' first sinks say, to the row") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  const std::size_t layers = tiny.model.config.layers;
  const std::size_t heads = tiny.model.config.heads;

  std::uint64_t plain = 0;
  for (const auto& sample : tiny.plan.samples)
    plain += (layers - 1) * sample.prompt.size() + 1;
  CHECK(runner.plain_work().layer_rows_computed == plain);

  std::uint64_t with_sinks = 0;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    CAPTURE(layer);
    act::search::search_work expected;
    for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
      const std::size_t rows = tiny.plan.samples[sample].prompt.size();
      for (std::size_t head = 0; head < heads; ++head) {
        ++expected.trials;
        std::uint64_t computed = 0;
        const auto sinks = tiny.golden_sinks.find({sample, {layer, head}});
        if (sinks == tiny.golden_sinks.end()) {
          ++expected.trials_without_sinks;
        } else {
          ++with_sinks;
          // Rows from the first sink on in the layers below the last, one row in the last.
          computed = (rows - sinks->second.front()) * (layers - 1 - layer) + 1;
        }
        expected.layer_rows_computed += computed;
        expected.layer_rows_avoided += rows * layers - computed;
      }
    }
    CHECK(runner.run(layer).work == expected);
    CHECK(runner.work_of(layer, std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}) == expected);
  }
  CHECK(with_sinks > 20);
}

TEST_CASE("trials of some heads are those of all, and cost their part") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  SUBCASE("by words") {}
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  const act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                         tiny.plan.masks);
  const std::size_t heads = tiny.model.config.heads;
  const std::vector<std::size_t> some{1, 4, 7};
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    const act::search::layer_trials all = runner.run(layer);
    std::size_t settled = 0;
    const act::search::layer_trials found =
        runner.run(layer, some, [&](std::size_t more) { settled += more; });
    CHECK(settled == tiny.plan.samples.size() * some.size());
    CHECK(found.work == runner.work_of(layer, some));
    CHECK(found.work.trials == settled);
    REQUIRE(found.scores.size() == settled);
    for (std::size_t sample = 0; sample < tiny.plan.samples.size(); ++sample) {
      for (std::size_t i = 0; i < some.size(); ++i) {
        const std::size_t at = sample * heads + some[i];
        CHECK(largest_difference(found.scores[sample * some.size() + i], all.scores[at]) < logit_tolerance);
        CHECK(found.has_sinks[sample * some.size() + i] == all.has_sinks[at]);
      }
    }
  }
}

TEST_CASE("estimates are what trials tend to as calibration gets weaker, of every kind of score") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  SUBCASE("words") {}
  SUBCASE("likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  SUBCASE("greedy") {
    tiny = act_test::with_greedy_tokens(std::move(tiny));
  }
  const std::vector<double> betas{0.4, 0.7, 0.9, 0.97, 0.99};
  act::search::trial_runner runner(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                   tiny.plan.masks, betas);
  const std::vector<std::size_t> heads{0, 1, 3, 6, 7};
  std::vector<double> apart(betas.size()), moved(betas.size());
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    for (std::size_t strength = 0; strength < betas.size(); ++strength) {
      const act::search::layer_trials exact = runner.run(layer, heads, {}, strength);
      const act::search::layer_trials estimated = runner.estimate(layer, heads, strength);
      CHECK(estimated.has_sinks == exact.has_sinks);
      CHECK(estimated.initial_mass == exact.initial_mass);
      CHECK(estimated.work.trials == 0);
      CHECK(estimated.work.layer_rows_avoided == exact.work.layer_rows_computed);
      for (std::size_t i = 0; i < exact.scores.size(); ++i) {
        const std::vector<double>& plain = runner.plain_scores()[i / heads.size()];
        if (exact.has_sinks[i] == 0) CHECK(estimated.scores[i] == plain);
        for (std::size_t score = 0; score < plain.size(); ++score) {
          apart[strength] += std::abs(exact.scores[i][score] - estimated.scores[i][score]);
          moved[strength] += std::abs(exact.scores[i][score] - plain[score]);
        }
      }
    }
  }
  // What bends is of the change's square, so their ratio is of the change.
  for (std::size_t strength = 1; strength < betas.size(); ++strength) {
    CAPTURE(betas[strength]);
    CHECK(apart[strength] / moved[strength] < 0.75 * apart[strength - 1] / moved[strength - 1]);
  }
  CHECK(apart.back() < 0.02 * moved.back());
  CHECK(moved.front() > 1e-3);
}

TEST_CASE("an estimate that isn't finite is refused with its sample") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::runtime::model& model = tiny.model;
  const act::search::scored_texts texts(tiny.plan.samples);
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (const auto& sample : tiny.plan.samples)
    prompts.push_back(sample.prompt);
  const act::runtime::packed_prompts packed = act::runtime::pack(model.config, prompts);
  const act::runtime::rotary_tables rotary(model.config.rotary, packed.positions);
  const act::search::layer_range last{model.config.layers - 1, model.config.layers - 1};
  act::runtime::layer_buffers buffers;
  act::runtime::matrix input = act::runtime::embed(model, packed);
  for (std::size_t layer = 0; layer < last.first; ++layer) {
    act::runtime::run_layer(model, layer, {.sequences = packed.sequences, .rotary = rotary}, {}, input,
                            buffers);
  }
  act::runtime::matrix output = input;
  act::runtime::run_layer(model, last.first, {.sequences = packed.sequences, .rotary = rotary}, {}, output,
                          buffers);
  act::runtime::matrix calibrated = buffers.attention;
  const auto estimate = [&] {
    const act::search::attributed_layer layer{
        .input = input, .attention = buffers.attention, .alternatives = {&calibrated, 1}};
    return act::search::head_attributions(model, texts, packed, last, {&layer, 1});
  };
  CHECK(estimate().change(last.first, 0, 0, 1, 0) == 0);
  const act::runtime::attention_sequence& second = packed.sequences[1];
  calibrated(second.first_query + second.queries - 1, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(estimate(),
                       doctest::Contains(("sample " + std::to_string(tiny.plan.samples[1].index)).c_str()),
                       act::error);
}

TEST_CASE("a narrow range finds what a wide one finds, with the same work a layer") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::search::trial_runner wide(tiny.model, tiny.plan.samples, tiny.plan.options, tiny.plan.range,
                                       tiny.plan.masks);
  const act::search::trial_runner narrow(tiny.model, tiny.plan.samples, tiny.plan.options, {1, 2}, false);
  for (std::size_t layer = 1; layer <= 2; ++layer) {
    const act::search::layer_trials expected = wide.run(layer);
    const act::search::layer_trials found = narrow.run(layer);
    CHECK(found.work == expected.work);
    REQUIRE(found.scores.size() == expected.scores.size());
    for (std::size_t i = 0; i < found.scores.size(); ++i) {
      CHECK(largest_difference(found.scores[i], expected.scores[i]) < logit_tolerance);
    }
  }
}
