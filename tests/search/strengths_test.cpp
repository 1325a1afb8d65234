// Searches that try several strengths of each head: they find what a search with each one alone finds, to the
// bit, however they are interrupted and whatever they take over.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/forward.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/racing_search.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/search_cost.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/state.hpp>
#include <act/search/stored_trials.hpp>
#include <act/search/trial_workers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "search/tiny_search.hpp"
#include "temporary_folder.hpp"

namespace {

using act::search::search_outcome;

double& strength_of(act::calibration_options& options) {
  return options.redistribute == act::redistribution::renormalised ? options.factor : options.beta;
}

// Several chunks.
act_test::tiny_search several(act_test::tiny_search tiny, std::size_t times) {
  const auto samples = tiny.plan.samples;
  for (std::size_t i = 1; i < times; ++i) {
    for (auto sample : samples) {
      for (auto& token : sample.prompt)
        token = static_cast<act::runtime::token_id>((token + static_cast<int>(7 * i)) % 250);
      sample.index = tiny.plan.samples.size();
      sample.label = (sample.label + i) % 3;
      tiny.plan.samples.push_back(sample);
    }
  }
  tiny.plan.tokens_per_chunk = 256;
  return tiny;
}

act_test::tiny_search with_strengths(act_test::tiny_search tiny, std::vector<double> strengths) {
  tiny.plan.strengths = std::move(strengths);
  strength_of(tiny.plan.options) = tiny.plan.strengths.front();
  return tiny;
}

search_outcome run(const act_test::tiny_search& tiny, const std::filesystem::path& file = ":memory:",
                   const act::search::search_progress& progress = {},
                   const std::optional<std::string>& reused = {}) {
  act::search::search_state state(file, tiny.plan.identity());
  if (reused) state.also_from({*reused, tiny.plan});
  return act::search::run_exact_search(tiny.model, tiny.plan, state, progress);
}

// Every trial of `of` that has this strength, or all of them where it has one alone.
std::map<act::layer_head, std::size_t> places(const search_outcome& of, double strength) {
  std::map<act::layer_head, std::size_t> found;
  for (std::size_t place = 0; place < of.trials.heads().size(); ++place) {
    if (of.trials.strength(place).value_or(strength) == strength) found[of.trials.heads()[place]] = place;
  }
  return found;
}

std::vector<double> list(std::span<const double> of) {
  return {of.begin(), of.end()};
}

void check_same(const search_outcome& a, const search_outcome& b) {
  CHECK(a.work == b.work);
  REQUIRE(a.trials.heads().size() == b.trials.heads().size());
  for (std::size_t place = 0; place < a.trials.heads().size(); ++place) {
    REQUIRE(a.trials.heads()[place] == b.trials.heads()[place]);
    REQUIRE(a.trials.strength(place) == b.trials.strength(place));
    for (std::size_t sample = 0; sample < a.samples; ++sample)
      REQUIRE(list(a.trials.calibrated(place, sample)) == list(b.trials.calibrated(place, sample)));
  }
}

struct interruption : std::runtime_error {
  interruption() : std::runtime_error("interrupted") {}
};

}  // namespace

TEST_CASE("trials with several strengths are those of a search with each, to the bit") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  std::vector<double> strengths{0, 0.4, 0.7};
  SUBCASE("betas, by words") {
    tiny = several(std::move(tiny), 3);
  }
  SUBCASE("betas, by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  SUBCASE("betas, with whole rows kept") {
    tiny.plan.options.redistribute = act::redistribution::uniform;
  }
  SUBCASE("factors of sinks, above 1 too") {
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    strengths = {0.3, 2, 20};
  }
  SUBCASE("factors of a span") {
    tiny = act_test::with_subsets(std::move(tiny));
    tiny.plan.options.redistribute = act::redistribution::renormalised;
    tiny.plan.options.columns = act::column_choice::span;
    strengths = {0, 5};
  }
  tiny = with_strengths(std::move(tiny), strengths);
  const search_outcome together = run(tiny);
  REQUIRE(together.trials.heads().size() ==
          strengths.size() * tiny.plan.range.count() * tiny.model.config.heads);
  std::size_t moved = 0;
  std::uint64_t trials = 0;
  std::vector<std::vector<double>> before;
  for (const double strength : strengths) {
    CAPTURE(strength);
    act_test::tiny_search one = tiny;
    one.plan.strengths.clear();
    strength_of(one.plan.options) = strength;
    const search_outcome alone = run(one);
    trials += alone.work.trials;
    const auto of_together = places(together, strength), of_alone = places(alone, strength);
    REQUIRE(of_together.size() == of_alone.size());
    std::vector<std::vector<double>> now;
    for (const auto& [head, place] : of_alone) {
      const std::size_t other = of_together.at(head);
      CHECK(together.evidence[other].log_likelihood_gain == alone.evidence[place].log_likelihood_gain);
      CHECK(together.evidence[other].strength == strength);
      CHECK(!alone.evidence[place].strength);
      for (std::size_t sample = 0; sample < alone.samples; ++sample) {
        REQUIRE(list(together.trials.calibrated(other, sample)) ==
                list(alone.trials.calibrated(place, sample)));
        REQUIRE(together.trials.has_sinks(other, sample) == alone.trials.has_sinks(place, sample));
        REQUIRE(together.trials.initial_mass(other, sample) == alone.trials.initial_mass(place, sample));
        now.push_back(list(alone.trials.calibrated(place, sample)));
      }
    }
    for (std::size_t i = 0; i < before.size(); ++i)
      moved += before[i] != now[i] ? 1 : 0;
    before = std::move(now);
  }
  CHECK(moved > 20);  // strengths differ
  CHECK(together.work.trials == trials);
}

TEST_CASE("a search with several strengths ends the same when it is interrupted") {
  const act_test::tiny_search tiny = with_strengths(several(act_test::make_tiny_search(), 4), {0.2, 0.7});
  std::size_t batches = 0;
  double last = 0;
  const search_outcome whole = run(tiny, ":memory:", [&](const act::search::search_advance& at) {
    ++batches;
    last = at.part;
  });
  CHECK(last == doctest::Approx(1.0));
  for (std::size_t stop = 2; stop < batches; stop += batches / 4 + 1) {
    const act_test::temporary_folder kept;
    std::size_t seen = 0;
    CHECK_THROWS_AS(run(tiny, kept / "state",
                        [&](const auto&) {
                          if (++seen == stop) throw interruption();
                        }),
                    interruption);
    check_same(run(tiny, kept / "state"), whole);
  }
}

TEST_CASE("a search takes over the strengths that another one has, and no others") {
  const act_test::tiny_search tiny = several(act_test::make_tiny_search(), 2);
  const act_test::temporary_folder kept;
  act_test::tiny_search one = tiny;
  one.plan.options.beta = 0.7;
  const search_outcome alone = run(one, kept / "one");
  const act_test::tiny_search both = with_strengths(tiny, {0.2, 0.7});
  const search_outcome whole = run(both, kept / "both");

  const auto work_of = [](const search_outcome& of) { return of.work.layer_rows_computed; };
  const search_outcome grown = run(both, ":memory:", {}, (kept / "one").string());
  CHECK(work_of(grown) < 0.75 * static_cast<double>(work_of(whole)));
  CHECK(work_of(grown) > 0.25 * static_cast<double>(work_of(whole)));
  for (const double strength : {0.2, 0.7}) {
    for (const auto& [head, place] : places(whole, strength)) {
      const std::size_t other = places(grown, strength).at(head);
      for (std::size_t sample = 0; sample < whole.samples; ++sample) {
        REQUIRE(list(grown.trials.calibrated(other, sample)) == list(whole.trials.calibrated(place, sample)));
        REQUIRE(grown.trials.initial_mass(other, sample) == whole.trials.initial_mass(place, sample));
      }
    }
  }
  // And the other way round: nothing is left to run.
  const search_outcome fewer = run(one, ":memory:", {}, (kept / "both").string());
  CHECK(work_of(fewer) == 0);
  for (std::size_t place = 0; place < fewer.trials.heads().size(); ++place) {
    for (std::size_t sample = 0; sample < fewer.samples; ++sample)
      REQUIRE(list(fewer.trials.calibrated(place, sample)) == list(alone.trials.calibrated(place, sample)));
  }
  CHECK_THROWS_WITH_AS(run(with_strengths(tiny, {0, 0.4}), ":memory:", {}, (kept / "both").string()),
                       doctest::Contains("'betas 0.2"), act::error);
  act_test::tiny_search factors = tiny;
  factors.plan.options.redistribute = act::redistribution::renormalised;
  CHECK_THROWS_AS(run(with_strengths(factors, {0.2, 0.7}), ":memory:", {}, (kept / "both").string()),
                  act::error);
}

TEST_CASE("whole passes with picked strengths are the trials' where one head is picked") {
  const act_test::tiny_search tiny = with_strengths(act_test::make_tiny_search(), {0, 0.7});
  const search_outcome outcome = run(tiny);
  for (std::size_t place = 0; place < outcome.trials.heads().size(); place += 5) {
    const auto joint = joint_scores(tiny.model, tiny.plan, {outcome.trials.heads()[place]},
                                    {*outcome.trials.strength(place)});
    for (std::size_t sample = 0; sample < outcome.samples; ++sample)
      CHECK(act_test::largest_difference(joint[sample], list(outcome.trials.calibrated(place, sample))) <
            3e-5);
  }
}

TEST_CASE("racing and ranked run strengths that can still be picked") {
  const act_test::tiny_search tiny = with_strengths(several(act_test::make_tiny_search(), 12), {0, 0.4, 0.8});
  const search_outcome whole = run(tiny);
  const act::search::selection_rule rule =
      act::search::parse_selection("top:5", act::search::search_objective::likelihood);
  const auto gains = act::search::gains_by(act::search::search_objective::likelihood);
  const auto searched = [&](const std::function<void(act::search::search_run&)>& strategy) {
    act::search::search_state state(":memory:", tiny.plan.identity());
    act::search::local_workers workers(tiny.model, tiny.plan);
    act::search::search_run run(tiny.model.config, tiny.plan, state, workers);
    strategy(run);
    return std::move(run).finish();
  };
  const auto picked = [&](const search_outcome& of) {
    std::vector<std::pair<act::layer_head, double>> heads;
    for (const act::search::head_evidence& each : select_heads(of.trials, rule).heads)
      heads.push_back({{each.layer, each.head}, each.strength.value()});
    return heads;
  };
  const auto expected = picked(whole);
  REQUIRE(expected.size() == 5);
  const search_outcome raced =
      searched([&](auto& run) { run_racing_search(run, {.risk = 0.05, .places = 5, .gains = gains}); });
  CHECK(picked(raced) == expected);
  CHECK(raced.work.trials < whole.work.trials);
  const search_outcome ranked = searched([&](auto& run) {
    run_ranked_search(run, {.budget = 0.6, .places = 5, .worth = act::search::worth_by(rule)});
  });
  const auto found = picked(ranked);
  CHECK(std::count_if(found.begin(), found.end(), [&](const auto& each) {
          return std::find(expected.begin(), expected.end(), each) != expected.end();
        }) >= 3);
  CHECK(static_cast<double>(ranked.work.trials) < 0.6 * static_cast<double>(whole.work.trials));
}

TEST_CASE("what a search with several strengths takes is as many times the trials of one") {
  const act_test::tiny_search one = several(act_test::make_tiny_search(), 3);
  const act_test::tiny_search three = with_strengths(one, {0, 0.4, 0.7});
  const auto expected_one = act::search::expect_work(one.model, one.plan),
             expected_three = act::search::expect_work(three.model, three.plan);
  CHECK(expected_three.trials == 3 * expected_one.trials);
  CHECK(expected_three.trial_rows == doctest::Approx(3 * expected_one.trial_rows));
  CHECK(expected_three.plain_rows == doctest::Approx(expected_one.plain_rows));
  CHECK(memory_of(three.model, three.plan).table > 2 * memory_of(one.model, one.plan).table);
  CHECK(memory_of(three.model, three.plan).plain > memory_of(one.model, one.plan).plain);
}

TEST_CASE("a head's output moves in proportion to 1 - beta, so a weight of its change is a strength") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  std::vector<std::vector<act::runtime::token_id>> prompts;
  for (const auto& sample : tiny.plan.samples)
    prompts.push_back(sample.prompt);
  const act::runtime::packed_prompts packed = act::runtime::pack(tiny.model.config, prompts);
  const act::runtime::rotary_tables rotary(tiny.model.config.rotary, packed.positions);
  act::runtime::matrix hidden = act::runtime::embed(tiny.model, packed);
  act::runtime::layer_buffers buffers;
  act::runtime::layer_alternatives found;
  double moved = 0;
  for (std::size_t layer = 0; layer < tiny.model.config.layers; ++layer) {
    act::runtime::attention_calibration calibration;
    calibration.strengths = {0, 0.4, 0.7};
    run_layer_with_alternatives(tiny.model, layer, {.sequences = packed.sequences, .rotary = rotary},
                                calibration, hidden, buffers, found);
    REQUIRE(found.attention.size() == 3);
    for (std::size_t i = 0; i < buffers.attention.size(); ++i) {
      const double whole = double{found.attention[0].data()[i]} - double{buffers.attention.data()[i]};
      moved = std::max(moved, std::fabs(whole));
      CHECK(std::fabs(found.attention[1].data()[i] - buffers.attention.data()[i] - 0.6 * whole) < 1e-5);
      CHECK(std::fabs(found.attention[2].data()[i] - buffers.attention.data()[i] - 0.3 * whole) < 1e-5);
    }
  }
  CHECK(moved > 1e-2);
}

TEST_CASE("strengths that can't be are refused") {
  act_test::tiny_search tiny = with_strengths(act_test::make_tiny_search(), {0.4, 1.5});
  CHECK_THROWS_WITH_AS(run(tiny), doctest::Contains("strengths"), act::error);
  tiny.plan.options.redistribute = act::redistribution::temperature;
  tiny.plan.strengths = {0.4, 0.7};
  CHECK_THROWS_WITH_AS(run(tiny), doctest::Contains("strengths"), act::error);
}
