// What a head is worth by each objective: against numpy's numbers, and what must not move it.
#include <doctest/doctest.h>
#include <act/search/selection/objective.hpp>
#include <act/search/selection/score_changes.hpp>
#include <act/search/trial_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "golden_selection.hpp"

namespace {

using act::search::search_objective;

// Adds a number to every sample's score of an answer, in the plain scores and in each head's: another label
// prior, which differs from head to head.
act::search::trial_table with_other_prior(const act::search::trial_table& from) {
  const auto shift = [](std::size_t head, std::size_t source, std::size_t answer) {
    return 3 * std::sin(static_cast<double>(7 * head + 3 * source + 11 * answer + 1));
  };
  act::search::trial_table moved({from.heads().begin(), from.heads().end()},
                                 {from.samples().begin(), from.samples().end()});
  for (std::size_t sample = 0; sample < from.samples().size(); ++sample) {
    const act::search::table_sample& each = from.samples()[sample];
    const auto added = [&](std::span<const double> scores, std::size_t head) {
      std::vector<double> row(scores.begin(), scores.end());
      if (!each.own_answers) {
        for (std::size_t answer = 0; answer < row.size(); ++answer)
          row[answer] += shift(head, each.source, answer);
      }
      return row;
    };
    moved.set_plain(sample, added(from.plain(sample), 0));
    for (std::size_t head = 0; head < from.heads().size(); ++head)
      moved.set_trial(head, sample, added(from.calibrated(head, sample), head + 1), true);
  }
  return moved;
}

std::vector<act::search::head_gain> gains_of(const act::search::trial_table& trials,
                                             search_objective objective) {
  const act::search::score_changes raw(trials);
  const std::vector<std::size_t> over = all_samples(raw);
  const act::search::score_changes changes = act_test::seen_by(objective, raw);
  const std::vector<double> gains = sample_gains(objective, changes, over);
  std::vector<act::search::head_gain> found;
  for (std::size_t head = 0; head < changes.heads().size(); ++head)
    found.push_back(gain_of(changes, std::span(gains).subspan(head * over.size(), over.size()), over));
  return found;
}

}  // namespace

TEST_CASE("objectives have names that read back") {
  for (const search_objective objective : act_test::every_objective)
    CHECK(act::search::find_objective(name_of(objective)) == objective);
  CHECK(!act::search::find_objective("loss"));
}

TEST_CASE("plain values and each head's gain, error and freedom are numpy's") {
  for (const search_objective objective : act_test::every_objective) {
    CAPTURE(name_of(objective));
    const nlohmann::json& golden = act_test::golden_of(objective);
    const act::search::score_changes raw(act_test::golden_trials());
    const act::search::score_changes changes = act_test::seen_by(objective, raw);
    const std::vector<double> values =
        sample_values(objective, changes, changes.plain(), all_samples(changes));
    REQUIRE(values.size() == golden.at("plain_values").size());
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(values[i] == doctest::Approx(golden.at("plain_values")[i].get<double>()).epsilon(1e-10));
    const std::vector<act::search::head_gain> gains = gains_of(act_test::golden_trials(), objective);
    REQUIRE(gains.size() == golden.at("gain").size());
    for (std::size_t head = 0; head < gains.size(); ++head) {
      CHECK(std::fabs(gains[head].mean - golden.at("gain")[head][0].get<double>()) < 1e-12);
      CHECK(std::fabs(gains[head].standard_error - golden.at("gain")[head][1].get<double>()) < 1e-12);
      CHECK(gains[head].freedom == doctest::Approx(golden.at("gain")[head][2].get<double>()).epsilon(1e-9));
    }
  }
}

TEST_CASE("no shift of the label prior moves the centred objective or auc, and it does move the others") {
  const act::search::trial_table trials = act_test::golden_trials(), moved = with_other_prior(trials);
  for (const search_objective objective : act_test::every_objective) {
    const std::vector<act::search::head_gain> before = gains_of(trials, objective),
                                              after = gains_of(moved, objective);
    double largest = 0;
    for (std::size_t head = 0; head < before.size(); ++head)
      largest = std::max(largest, std::fabs(before[head].mean - after[head].mean));
    CAPTURE(name_of(objective));
    if (objective == search_objective::centred || objective == search_objective::auc) {
      CHECK(largest < 1e-12);
    } else {
      CHECK(largest > 0.01);
    }
  }
}

TEST_CASE("centred scores have mean 0 over the samples they were centred on, options keep theirs") {
  const act::search::score_changes raw(act_test::golden_trials());
  const std::vector<std::size_t> over{0, 2, 3, 5, 23, 25, 36};
  const act::search::score_changes changes = raw.centred(over);
  for (std::size_t answer = 0; answer < 3; ++answer) {
    double plain = 0, change = 0;
    for (const std::size_t sample : {0UL, 2UL, 3UL, 5UL}) {
      plain += changes.row(changes.plain(), sample)[answer];
      change += changes.row(changes.change(4), sample)[answer];
    }
    CHECK(std::fabs(plain) < 1e-12);
    CHECK(std::fabs(change) < 1e-12);
  }
  for (std::size_t sample = 0; sample < raw.samples().size(); ++sample) {
    if (!raw.samples()[sample].own_answers) continue;
    for (std::size_t answer = 0; answer < raw.samples()[sample].scores; ++answer)
      CHECK(changes.row(changes.change(4), sample)[answer] == raw.row(raw.change(4), sample)[answer]);
  }
}

TEST_CASE("the additive estimate of a model whose heads act independently is exact") {
  // Scores are linear in which heads are calibrated, so trials of single heads say everything.
  act::search::trial_table trials({{0, 0}, {0, 1}, {1, 0}}, {{1, 2, 0}, {0, 3, 0}});
  const double effects[3][3] = {{0.5, -1, 2}, {0.25, 4, -3}, {-0.125, 1, 1}};
  std::vector<std::vector<double>> plain{{1, 2}, {-1, 0, 1}};
  for (std::size_t sample = 0; sample < 2; ++sample) {
    trials.set_plain(sample, plain[sample]);
    for (std::size_t head = 0; head < 3; ++head) {
      std::vector<double> row = plain[sample];
      for (std::size_t answer = 0; answer < row.size(); ++answer)
        row[answer] += effects[head][answer] * static_cast<double>(sample + 1);
      trials.set_trial(head, sample, row, true);
    }
  }
  const act::search::score_changes changes(trials);
  const std::vector<std::size_t> set{0, 2};
  const std::vector<double> joint = changes.estimate(set);
  CHECK(joint == std::vector<double>{1 + 0.5 - 0.125, 2 - 1 + 1, -1 + 2 * (0.5 - 0.125), 2 * (-1 + 1),
                                     1 + 2 * (2 + 1)});
}

TEST_CASE("sources weigh the same, however many samples they have") {
  const act::search::score_changes changes(act_test::golden_trials());
  const std::vector<std::size_t> over{0, 1, 2, 3, 22, 40, 41};
  const std::vector<double> weights = balanced_weights(changes, over);
  CHECK(weights[0] == doctest::Approx(1.0 / 12));
  CHECK(weights[4] == doctest::Approx(1.0 / 3));
  CHECK(weights[5] == doctest::Approx(1.0 / 6));
}

TEST_CASE("a head that wasn't tried on every sample isn't looked at") {
  act::search::trial_table trials({{3, 1}, {2, 0}}, {{0, 2, 0}, {1, 2, 0}});
  for (std::size_t sample = 0; sample < 2; ++sample)
    trials.set_trial(1, sample, std::vector<double>{1, 2}, true);
  trials.set_trial(0, 0, std::vector<double>{9, 0}, true);
  const act::search::score_changes changes(trials);
  REQUIRE(changes.heads().size() == 1);
  CHECK(changes.heads()[0] == act::layer_head{2, 0});
}

TEST_CASE("t of a gain that no sample contradicts is infinite, of none 0") {
  CHECK(act::search::head_gain{.mean = 0.5, .standard_error = 0, .freedom = 3}.t() ==
        std::numeric_limits<double>::infinity());
  CHECK(act::search::head_gain{.mean = -0.5, .standard_error = 0, .freedom = 3}.t() ==
        -std::numeric_limits<double>::infinity());
  CHECK(act::search::head_gain{.mean = 0, .standard_error = 0, .freedom = 3}.t() == 0);
}

TEST_CASE("a source of one sample varies as the others do, and one sample alone says nothing") {
  std::vector<act::search::table_sample> samples(5, {.label = 0, .scores = 2});
  samples[4].source = 1;
  act::search::trial_table table({{0, 0}}, samples);
  for (std::size_t sample = 0; sample < samples.size(); ++sample) {
    table.set_plain(sample, std::vector<double>{0, 0});
    table.set_trial(0, sample, std::vector<double>{0, 0}, true);
  }
  const act::search::score_changes changes(table);
  const std::vector<double> gains{1, 2, 3, 4, 10};
  const act::search::head_gain gain = gain_of(changes, gains, all_samples(changes));
  CHECK(gain.mean == doctest::Approx(6.25));
  // 5 / 3 a sample: a mean of four and one alone, half the weight each.
  CHECK(gain.standard_error == doctest::Approx(std::sqrt((5.0 / 12 + 5.0 / 3) / 4)));
  CHECK(gain.freedom == doctest::Approx(4.4118).epsilon(1e-4));
  const std::vector<std::size_t> last{4};
  CHECK(gain_of(changes, std::span(gains).last(1), last).t() == 0);
}
