// Rows that texts begin with alike are run once: no bit of a score changes by it, and the work falls by what
// tokens and sinks say.
#include <doctest/doctest.h>
#include <act/search/shared_trials.hpp>
#include <act/search/trials.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sanitized.hpp"
#include "search/plain_sinks.hpp"
#include "search/tiny_search.hpp"

namespace {

using act::runtime::token_id;
using act::search::trial_part;
using act::search::trial_runner;

// Prompts that begin like the longest: with as much of it as `parts` say, of hundred, and then other tokens;
// the third is a beginning of the first, the last differs in its last token alone.
act_test::tiny_search beginning_alike(act_test::tiny_search tiny) {
  const std::vector<token_id> whole = tiny.plan.samples.back().prompt;
  auto sample = tiny.plan.samples.back();
  sample.words = {7, 11, 23};
  const std::size_t vocabulary = tiny.model.config.vocabulary;
  tiny.plan.samples.clear();
  const auto add = [&](std::size_t beginning, std::size_t own) {
    auto next = sample;
    next.index = tiny.plan.samples.size();
    next.prompt.resize(beginning);
    for (std::size_t i = 0; i < own; ++i)
      next.prompt.push_back(static_cast<token_id>(
          (static_cast<std::size_t>(whole[(i + 3 * next.index) % whole.size()]) + 1) % vocabulary));
    tiny.plan.samples.push_back(next);
  };
  const std::size_t size = whole.size();
  add(size, 0);
  add(size * 4 / 5, 9);
  add(size * 7 / 10, 0);
  add(size / 2, 14);
  add(size / 2 + 3, 8);
  add(size - 1, 1);
  tiny.plan.options.sinks.alpha = 2;
  return tiny;
}

// The same part in every other prompt, as far as it lies there.
act_test::tiny_search with_parts_alike(act_test::tiny_search tiny) {
  for (auto& sample : tiny.plan.samples) {
    sample.subset = tiny.plan.samples[sample.index % 2].subset;
    std::erase_if(sample.subset, [&](std::size_t position) { return position >= sample.prompt.size(); });
  }
  return tiny;
}

// Texts that have nothing in common with each other or with those, to be run beside one of them: products of
// up to four rows sum in another order.
std::vector<act::tasks::prepared_sample> beside(const act::tasks::prepared_sample& sample,
                                                std::size_t vocabulary) {
  std::vector<act::tasks::prepared_sample> others;
  constexpr std::size_t most_tokens = 24;
  const auto within = [](std::vector<std::size_t>& part, std::size_t tokens) {
    std::erase_if(part, [&](std::size_t position) { return position >= tokens; });
    if (part.empty()) part.push_back(1);
  };
  for (std::size_t i = 1; i <= 9; ++i) {
    auto other = sample;
    // The last tokens, another one before them.
    const auto differs = [&](std::vector<token_id>& tokens) {
      const std::size_t left_out = tokens.size() - std::min(tokens.size(), most_tokens - i);
      tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(left_out));
      tokens.front() =
          static_cast<token_id>((static_cast<std::size_t>(sample.prompt.front()) + i) % vocabulary);
      return left_out;
    };
    (void)differs(other.prompt);
    if (!other.subset.empty()) within(other.subset, other.prompt.size());
    for (auto& option : other.options)
      option.first_scored -= differs(option.tokens);
    for (auto& part : other.option_subsets)
      within(part, other.options.front().tokens.size());
    others.push_back(other);
  }
  return others;
}

trial_runner runner_of(const act_test::tiny_search& tiny,
                       std::span<const act::tasks::prepared_sample> samples) {
  return {tiny.model, samples, tiny.plan.options, tiny.plan.range, tiny.plan.masks, tiny.plan.strengths};
}

struct compared {
  std::size_t moved = 0;             // trials whose scores aren't the plain ones
  std::uint64_t run = 0, whole = 0;  // layer rows of the samples' trials, together and without sharing
};

// Every text's trials beside others are those of the text alone, to the bit.
compared check_each_alone(const act_test::tiny_search& tiny) {
  const std::size_t heads = tiny.model.config.heads;
  const trial_runner together = runner_of(tiny, tiny.plan.samples);
  compared found;
  for (std::size_t strength = 0; strength < tiny.plan.strength_count(); ++strength) {
    CAPTURE(strength);
    std::vector<std::size_t> all(heads);
    for (std::size_t head = 0; head < heads; ++head)
      all[head] = head;
    std::vector<act::search::layer_trials> layers;
    for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
      layers.push_back(together.run(layer, all, {}, strength));
      CHECK(layers.back().work == together.work_of(layer, all));
      found.run += layers.back().work.layer_rows_computed;
    }
    for (const auto& sample : tiny.plan.samples) {
      CAPTURE(sample.index);
      for (std::size_t answer = 0; answer < std::max<std::size_t>(1, sample.options.size()); ++answer) {
        auto one = sample;
        if (!sample.options.empty()) {
          one.options = {sample.options[answer]};
          one.option_bytes = {sample.option_bytes[answer]};
          if (!sample.option_subsets.empty()) one.option_subsets = {sample.option_subsets[answer]};
        }
        std::vector<act::tasks::prepared_sample> texts = beside(one, tiny.model.config.vocabulary);
        texts.push_back(one);
        const trial_runner alone = runner_of(tiny, texts);
        const trial_runner single = runner_of(tiny, {&one, 1});
        const std::size_t at = texts.size() - 1;
        for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
          CAPTURE(layer);
          found.whole += single.work_of(layer, all).layer_rows_computed;
          // Under the sanitizers, which take twenty times as long, one layer for each text.
          if (act_test::sanitized && layer != sample.index % tiny.model.config.layers) continue;
          const auto expected = alone.run(layer, all, {}, strength);
          for (std::size_t head = 0; head < heads; ++head) {
            CAPTURE(head);
            const auto& scores = layers[layer].scores[sample.index * heads + head];
            const auto& want = expected.scores[at * heads + head];
            if (sample.options.empty()) {
              CHECK(scores == want);
            } else {
              CHECK(scores[answer] == want.front());
            }
            found.moved += want != alone.plain_scores()[at] ? 1 : 0;
          }
        }
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("trials of texts that begin alike are each text's own, to the bit") {
  act_test::tiny_search tiny = beginning_alike(act_test::make_tiny_search());
  SUBCASE("proportional, the paper's") {}
  SUBCASE("several strengths") {
    tiny.plan.strengths = {0, 0.7};
  }
  SUBCASE("uniform") {
    tiny.plan.options.redistribute = act::redistribution::uniform;
  }
  SUBCASE("temperature, which changes rows without sinks too") {
    tiny.plan.options.redistribute = act::redistribution::temperature;
    tiny.plan.options.theta = 2;
  }
  SUBCASE("a subset of each prompt") {
    tiny = with_parts_alike(act_test::with_subsets(std::move(tiny)));
  }
  SUBCASE("a span strengthened") {
    tiny = with_parts_alike(act_test::with_subsets(std::move(tiny)));
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::span;
    tiny.plan.options.factor = 20;
  }
  SUBCASE("the initial token weakened") {
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::initial_token;
    tiny.plan.options.factor = 0.3;
  }
  SUBCASE("heads masked") {
    tiny.plan.masks = true;
  }
  SUBCASE("the authors' behaviour") {
    tiny.plan.options.sinks.rule = act::sink_rule::absolute;
    tiny.plan.options.behave_as = act::compatibility::authors;
  }
  SUBCASE("by the greedy token") {
    tiny = act_test::with_greedy_tokens(std::move(tiny));
  }
  SUBCASE("by the likelihood of options") {
    tiny.plan.samples.resize(3);
    tiny = act_test::with_options(std::move(tiny));
  }
  SUBCASE("by the likelihood of options, to a subset of each") {
    tiny.plan.samples.resize(3);
    tiny = act_test::with_subsets(act_test::with_options(std::move(tiny)));
  }
  const compared found = check_each_alone(tiny);
  CHECK(found.moved > (act_test::sanitized ? 10 : 50));
  MESSAGE("layer rows run " << found.run << ", without sharing " << found.whole);
  CHECK(found.run < found.whole);
}

TEST_CASE("trials of texts that begin alike are each text's own in every family") {
  const std::filesystem::path folder = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "parity";
  std::size_t compared = 0;
  for (const auto& family : std::filesystem::directory_iterator(folder / "families")) {
    for (const char* variant : {"base", "window", "layer-types", "parallel"}) {
      if (!std::filesystem::exists(family.path() / variant / "config.json")) continue;
      if (act_test::sanitized && compared == 4) continue;
      const std::string name = std::filesystem::relative(family.path() / variant, folder).string();
      CAPTURE(name);
      const auto found = check_each_alone(beginning_alike(act_test::make_tiny_folder_search(name)));
      CHECK(found.moved > (act_test::sanitized ? 2 : 10));
      CHECK(found.run < found.whole);
      ++compared;
    }
  }
  CHECK(compared > (act_test::sanitized ? 3 : 15));
}

TEST_CASE("the work of texts that begin alike falls by the rows whose tokens and sinks are the same") {
  const act_test::tiny_search tiny = beginning_alike(act_test::make_tiny_search());
  const act::runtime::model_config& config = tiny.model.config;
  const trial_runner runner = runner_of(tiny, tiny.plan.samples);

  std::vector<std::vector<token_id>> texts;
  for (const auto& sample : tiny.plan.samples)
    texts.push_back(sample.prompt);
  const act::runtime::packed_prompts packed = act::runtime::pack(config, texts);
  const act::runtime::rotary_tables rotary(config.rotary, packed.positions);
  act::runtime::matrix hidden = act::runtime::embed(tiny.model, packed);
  act::runtime::layer_buffers buffers;

  std::size_t shared_rows = 0, other_sinks = 0;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    CAPTURE(layer);
    run_layer(tiny.model, layer, {.sequences = packed.sequences, .rotary = rotary}, {}, hidden, buffers);
    const auto sinks = act_test::plain_sinks(config, layer, packed, buffers, tiny.plan.options.sinks.alpha);
    const std::uint64_t above = config.layers - 1 - layer;
    std::uint64_t expected = 0;
    for (std::size_t head = 0; head < config.heads; ++head) {
      std::vector<act_test::changed_text> before;
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::vector<std::size_t>& own = sinks[i * config.heads + head];
        if (own.empty()) continue;
        const act_test::changed_text text{
            .tokens = texts[i], .sinks = own, .end = texts[i].size(), .first_scored = texts[i].size() - 1};
        const std::size_t shared = text.most_shared(before);
        expected += above == 0 ? 1 : (text.rows() - shared) * above + 1;
        shared_rows += above == 0 ? 0 : shared;
        for (const act_test::changed_text& other : before)
          other_sinks += other.sinks.front() == own.front() && text.differs_by_sinks_alone(other) ? 1 : 0;
        before.push_back(text);
      }
    }
    CHECK(runner.run(layer).work.layer_rows_computed == expected);
  }
  CHECK(shared_rows > 300);
  CHECK(other_sinks > 5);
}

TEST_CASE("each part shares with the one that has most of it, and finds its keys where they are run") {
  std::vector<trial_part> parts;
  for (const std::size_t end : {20UL, 22UL, 25UL, 19UL})
    parts.push_back({.sequence = parts.size(), .head = 1, .first_row = 10, .end = end});
  const std::size_t alike[4][4] = {{}, {4}, {4, 6}, {0, 0, 0}};
  act::search::share_rows(
      parts, [&](const trial_part& a, const trial_part& b) { return alike[b.sequence][a.sequence]; });
  const auto shared = [&](std::size_t part) {
    return std::pair(parts[part].shared, parts[part].shared_with);
  };
  CHECK(shared(0).first == 0);
  CHECK(shared(1) == std::pair<std::size_t, std::size_t>(4, 0));
  CHECK(shared(2) == std::pair<std::size_t, std::size_t>(6, 1));
  CHECK(shared(3).first == 0);

  const act::search::stacked_trials stacked(parts);
  REQUIRE(stacked.positions().size() == 10 + 8 + 9 + 9);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CAPTURE(i);
    const act::runtime::attention_sequence& sequence = stacked.sequences()[i];
    CHECK(sequence.queries == parts[i].rows());
    CHECK(sequence.keys == parts[i].end - 10);
    CHECK(stacked.positions()[sequence.first_query] == parts[i].own_row());
    CHECK(sequence.key_rows.size() == (parts[i].shared > 0 ? sequence.keys : 0));
    for (std::size_t key = 0; key < sequence.key_rows.size(); ++key)
      CHECK(stacked.positions()[sequence.key_rows[key]] == 10 + key);
  }
  // Of the third part's keys the first four are the first part's rows, two the second's.
  const auto keys = stacked.sequences()[2].key_rows;
  CHECK(std::vector<std::uint32_t>(keys.begin(), keys.end()) ==
        std::vector<std::uint32_t>{0, 1, 2, 3, 10, 11, 18, 19, 20, 21, 22, 23, 24, 25, 26});
}
