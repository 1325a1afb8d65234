// Searches that run a part of the trials: what they run is what the exact search finds, what they leave out
// is what their rule says.
#include <doctest/doctest.h>
#include <act/search/exact_search.hpp>
#include <act/search/racing_search.hpp>
#include <act/search/ranked_search.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/state.hpp>
#include <act/search/strategy.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_workers.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "search/tiny_search.hpp"

namespace {

using act::search::search_outcome;
using act::search::trial_table;

act::search::gain_function by_likelihood() {
  return act::search::gains_by(act::search::search_objective::likelihood);
}

act::search::worth_function worth_by_likelihood() {
  return act::search::worth_by(
      act::search::parse_selection("top", act::search::search_objective::likelihood));
}

// Many samples in small chunks.
act_test::tiny_search many(std::size_t times) {
  act_test::tiny_search tiny = act_test::make_tiny_search();
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

search_outcome search(const act_test::tiny_search& tiny,
                      const std::function<void(act::search::search_run&)>& strategy) {
  act::search::search_state state(":memory:", tiny.plan.identity());
  act::search::local_workers workers(tiny.model, tiny.plan);
  double last = 0;
  act::search::search_run run(tiny.model.config, tiny.plan, state, workers,
                              [&](const act::search::search_advance& at) {
                                CHECK(at.part >= last);
                                last = at.part;
                              });
  strategy(run);
  return std::move(run).finish();
}

search_outcome exact(const act_test::tiny_search& tiny) {
  act::search::search_state state(":memory:", tiny.plan.identity());
  return act::search::run_exact_search(tiny.model, tiny.plan, state);
}

// Every trial that was run says what the exact search's does. Returns the heads known on all samples.
std::vector<std::size_t> check_known(const search_outcome& found, const search_outcome& whole) {
  std::vector<std::size_t> complete;
  for (std::size_t head = 0; head < whole.trials.heads().size(); ++head) {
    std::size_t known = 0;
    for (std::size_t sample = 0; sample < whole.samples; ++sample) {
      if (!found.trials.known(head, sample)) continue;
      ++known;
      const auto a = found.trials.calibrated(head, sample), b = whole.trials.calibrated(head, sample);
      CHECK(act_test::largest_difference({a.begin(), a.end()}, {b.begin(), b.end()}) < 3e-5);
    }
    CHECK(found.evidence[head].tried == known);
    if (known == whole.samples) complete.push_back(head);
  }
  return complete;
}

std::vector<double> mean_gains(const trial_table& table) {
  const std::vector<double> gains = act::search::gains_by(act::search::search_objective::likelihood)(table);
  const std::size_t samples = table.samples().size();
  std::vector<double> means;
  for (std::size_t head = 0; head < table.heads().size(); ++head) {
    const auto first = gains.begin() + static_cast<std::ptrdiff_t>(head * samples);
    means.push_back(std::accumulate(first, first + static_cast<std::ptrdiff_t>(samples), 0.0));
  }
  return means;
}

}  // namespace

TEST_CASE("racing runs what the exact search runs, for heads that can still be picked") {
  const act_test::tiny_search tiny = many(12);
  const search_outcome whole = exact(tiny);
  const std::vector<double> means = mean_gains(whole.trials);
  const search_outcome raced = search(
      tiny, [](auto& run) { run_racing_search(run, {.risk = 0.05, .places = 5, .gains = by_likelihood()}); });
  const std::vector<std::size_t> complete = check_known(raced, whole);
  CHECK(complete.size() >= 5);
  CHECK(complete.size() < means.size());
  CHECK(raced.work.trials < whole.work.trials);
  CHECK(raced.work.layer_rows_computed < whole.work.layer_rows_computed);
  CHECK(raced.plain_correct == whole.plain_correct);
  // At this risk none of the best five is lost here.
  std::vector<std::size_t> order(means.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return means[a] > means[b]; });
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(std::binary_search(complete.begin(), complete.end(), order[i]));
  // More risk stops more.
  const search_outcome bold = search(
      tiny, [](auto& run) { run_racing_search(run, {.risk = 0.4, .places = 5, .gains = by_likelihood()}); });
  CHECK(bold.work.trials < raced.work.trials);
}

TEST_CASE("racing by answers loses no head that wins more than it loses, and stops some that don't") {
  const act_test::tiny_search tiny = many(12);
  const search_outcome whole = exact(tiny);
  const search_outcome raced = search(tiny, [](auto& run) {
    run_racing_search(run, {.risk = 0.05, .places = 0, .by_answers = true, .gains = {}});
  });
  const std::vector<std::size_t> complete = check_known(raced, whole);
  for (std::size_t head = 0; head < whole.evidence.size(); ++head) {
    if (whole.evidence[head].net() > 0) CHECK(std::binary_search(complete.begin(), complete.end(), head));
  }
  CHECK(complete.size() < whole.evidence.size());
}

TEST_CASE("ranked tries the heads around the cut within its budget, and counts the others by estimates") {
  const act_test::tiny_search tiny = many(12);
  const search_outcome whole = exact(tiny);
  const std::uint64_t exact_rows = whole.work.layer_rows_computed;
  const auto ranked_within = [&](double budget) {
    return search(tiny, [&](auto& run) {
      // Far more than they are worth in a model of so few heads.
      run_ranked_search(
          run, {.budget = budget, .places = 6, .estimates_at_most = 100, .worth = worth_by_likelihood()});
    });
  };
  const auto tried_in = [&](const search_outcome& found) {
    std::vector<std::size_t> tried;
    for (std::size_t head = 0; head < whole.evidence.size(); ++head) {
      CHECK(found.evidence[head].tried == whole.samples);
      CHECK(found.evidence[head].estimated == found.trials.estimated(head));
      if (found.trials.estimated(head)) continue;
      tried.push_back(head);
      for (std::size_t sample = 0; sample < whole.samples; ++sample) {
        const auto a = found.trials.calibrated(head, sample), b = whole.trials.calibrated(head, sample);
        CHECK(act_test::largest_difference({a.begin(), a.end()}, {b.begin(), b.end()}) < 3e-5);
      }
    }
    return tried;
  };
  const search_outcome none = ranked_within(1e-9);
  CHECK(none.work.trials == 0);
  CHECK(tried_in(none).empty());
  const std::uint64_t estimates_rows = none.work.layer_rows_computed;

  // By the estimates alone, which are those of `none`.
  const std::vector<double> means = mean_gains(none.trials);
  std::vector<std::size_t> order(means.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return means[a] > means[b]; });
  REQUIRE(means[order[6]] > 0);
  const auto share = [&](double of_trials) {
    return (static_cast<double>(estimates_rows) + of_trials * static_cast<double>(exact_rows)) /
           static_cast<double>(exact_rows);
  };
  std::size_t before = 0;
  for (const double budget : {share(0.1), share(0.3), share(0.6)}) {
    CAPTURE(budget);
    const search_outcome ranked = ranked_within(budget);
    const std::vector<std::size_t> tried = tried_in(ranked);
    CHECK(tried.size() > before);
    before = tried.size();
    const double cost =
        static_cast<double>(ranked.work.layer_rows_computed) / static_cast<double>(exact_rows);
    CHECK(cost < 1.05 * budget);
    // As many above the cut as below, or one more, as far as there are heads above.
    std::size_t above = 0;
    for (std::size_t place = 0; place < order.size(); ++place) {
      const bool is_tried = std::binary_search(tried.begin(), tried.end(), order[place]);
      const std::size_t up = std::min<std::size_t>(6, (tried.size() + 1) / 2), down = tried.size() - up;
      CHECK(is_tried == (place + up >= 6 && place < 6 + down));
      above += is_tried && place < 6 ? 1 : 0;
    }
    CHECK(above > 0);
  }
}

TEST_CASE("ranked tries everything where estimates cost too much, and where its budget is enough") {
  act_test::tiny_search tiny = many(3);
  SUBCASE("by words") {}
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  const search_outcome whole = exact(tiny);
  for (const bool estimates : {false, true}) {
    const search_outcome ranked = search(tiny, [&](auto& run) {
      run_ranked_search(
          run,
          {.budget = 1000, .estimates_at_most = estimates ? 1000.0 : 1e-6, .worth = worth_by_likelihood()});
    });
    CHECK(check_known(ranked, whole).size() == whole.evidence.size());
    CHECK(ranked.work.trials == whole.work.trials);
    CHECK(ranked.work.layer_rows_computed > whole.work.layer_rows_computed);  // the estimates
    CHECK(ranked.work.layer_rows_avoided == whole.work.layer_rows_avoided);
    for (const act::search::head_evidence& each : ranked.evidence)
      CHECK_FALSE(each.estimated);
  }
}

TEST_CASE("estimates can be stopped at every layer, and begun anew") {
  const act_test::tiny_search tiny = many(2);
  const std::size_t layers = tiny.model.config.layers;
  const act::search::trial_block block{.kind = act::search::block_kind::estimates,
                                       .chunk = tiny.plan.chunks().front(),
                                       .layer = tiny.plan.range.first,
                                       .heads = {0, 1}};
  act::search::block_runner uninterrupted(tiny.model, tiny.plan);
  std::size_t asked = 0;
  const act::search::block_result whole = uninterrupted.run(block, [&](std::size_t trials) {
    CHECK(trials == 0);
    ++asked;
  });
  CHECK(asked >= layers - tiny.plan.range.first);

  struct interruption {};
  act::search::block_runner runner(tiny.model, tiny.plan);
  for (std::size_t stop = 1; stop <= asked; ++stop) {
    CAPTURE(stop);
    std::size_t seen = 0;
    const auto stopping = [&](std::size_t) {
      if (++seen == stop) throw interruption();
    };
    CHECK_THROWS_AS((void)runner.run(block, stopping), interruption);
  }
  CHECK(runner.run(block).scores == whole.scores);
}

TEST_CASE("a part of a table holds what is known of it") {
  trial_table table({{1, 0}, {1, 1}, {2, 0}}, {{0, 2, 0}, {1, 2, 0}, {0, 2, 0}});
  table.set_plain(0, std::vector<double>{1, 2});
  table.set_trial(2, 0, std::vector<double>{5, 6}, true);
  table.set_trial(2, 2, std::vector<double>{7, 8}, true);
  const trial_table part = act::search::part_of(table, std::vector<std::size_t>{0, 2}, 2);
  REQUIRE(part.heads().size() == 2);
  REQUIRE(part.samples().size() == 2);
  CHECK(part.heads()[1] == act::layer_head{2, 0});
  CHECK(part.known(1, 0));
  CHECK(part.calibrated(1, 0)[1] == 6);
  CHECK(part.plain(0)[1] == 2);
  CHECK(!part.known(0, 0));
  CHECK(!part.known(1, 1));
}

TEST_CASE("gains are what a head changes of the objective, sources weighing the same") {
  trial_table table({{1, 0}, {1, 1}}, {{0, 2, 0}, {1, 2, 1}, {1, 2, 1}});
  for (std::size_t sample = 0; sample < 3; ++sample) {
    table.set_plain(sample, std::vector<double>{0, 1});
    table.set_trial(0, sample, std::vector<double>{1, 0}, true);
    table.set_trial(1, sample, std::vector<double>{0, 1}, false);
  }
  const std::vector<double> answers = act::search::gains_by(act::search::search_objective::accuracy)(table);
  CHECK(answers == std::vector<double>{1.5, -0.75, -0.75, 0, 0, 0});
  const std::vector<double> likelihood =
      act::search::gains_by(act::search::search_objective::likelihood)(table);
  CHECK(likelihood[0] == doctest::Approx(1.5));
  CHECK(likelihood[2] == doctest::Approx(-0.75));
  CHECK(likelihood[4] == 0);
}
