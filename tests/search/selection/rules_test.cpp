// Rules over the golden table against numpy's choices, and what must not change them.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/runtime/splitmix64.hpp>
#include <act/search/evidence.hpp>
#include <act/search/selection/candidate_sets.hpp>
#include <act/search/selection/cross_validation.hpp>
#include <act/search/selection/gains_by.hpp>
#include <act/search/selection/head_orders.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/trial_table.hpp>
#include <act/statistics/folds.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "golden_selection.hpp"

namespace {

using act::search::parse_selection;
using act::search::score_changes;
using act::search::search_objective;
using numbers = std::vector<std::size_t>;

numbers golden_list(search_objective objective, const char* of) {
  return act_test::golden_of(objective).at(of).get<numbers>();
}

act::search::head_order chosen(std::string_view rule, search_objective objective) {
  const score_changes changes(act_test::golden_trials());
  return choose_set(parse_selection(rule, objective), changes, all_samples(changes), {}).heads;
}

std::vector<act::layer_head> picked(const act::search::trial_table& trials, std::string_view rule,
                                    search_objective objective) {
  std::vector<act::layer_head> heads;
  for (const act::search::head_evidence& each : select_heads(trials, parse_selection(rule, objective)).heads)
    heads.push_back({each.layer, each.head});
  return heads;
}

}  // namespace

TEST_CASE("each order is numpy's") {
  const score_changes raw(act_test::golden_trials());
  const numbers over = all_samples(raw);
  for (const search_objective objective : act_test::every_objective) {
    CAPTURE(name_of(objective));
    const score_changes changes = act_test::seen_by(objective, raw);
    CHECK(by_gain(changes, objective, over) == golden_list(objective, "by_gain"));
    CHECK(by_studentised_gain(changes, objective, over) == golden_list(objective, "studentised"));
    CHECK(by_shared_gain(changes, objective, over) == golden_list(objective, "shared"));
    CHECK(by_joint_gain(changes, objective, over, 12) == golden_list(objective, "joint"));
    CHECK(by_balanced_gain(raw, changes, objective, over, 12) == golden_list(objective, "balanced"));
    CHECK(act::search::steady_heads(resampled_places(changes, objective, over, 50, 9), 6) ==
          golden_list(objective, "steady"));
  }
}

TEST_CASE("each rule takes what numpy takes") {
  for (const search_objective objective : act_test::every_objective) {
    CAPTURE(name_of(objective));
    numbers best = golden_list(objective, "by_gain"), joint = golden_list(objective, "joint");
    CHECK(chosen("fdr:0.3", objective) == golden_list(objective, "fdr"));
    CHECK(chosen("top:99", objective) == best);
    CHECK(chosen("greedy:12", objective) == joint);
    best.resize(4);
    CHECK(chosen("top:4", objective) == best);
    joint.resize(4);
    CHECK(chosen("greedy:4", objective) == joint);
    CHECK(chosen("all", objective).size() == act_test::golden_selection().at("heads").size());
  }
}

TEST_CASE("the paper's rule picks every head that answers more samples right, whatever the objective") {
  const act::search::trial_table trials = act_test::golden_trials();
  numbers more;
  for (const act::search::head_evidence& each : act::search::evidence_of(trials)) {
    if (each.net() > 0) more.push_back(each.layer * 100 + each.head);
  }
  REQUIRE(more.size() > 3);
  for (const search_objective objective : act_test::every_objective) {
    numbers found;
    for (const act::layer_head& each : picked(trials, "paper", objective))
      found.push_back(each.layer * 100 + each.head);
    std::sort(found.begin(), found.end());
    CHECK(found == more);
  }
}

TEST_CASE("estimates by cross-validation are numpy's, and so are the folds") {
  const score_changes changes(act_test::golden_trials());
  const numbers over = all_samples(changes);
  const act::search::cross_validation_options first{.folds = 5, .repeats = 1, .seed = 3};
  CHECK(act::statistics::stratified_folds(
            [&] {
              numbers strata;
              std::map<std::pair<std::size_t, std::size_t>, std::size_t> seen;
              for (const act::search::table_sample& each : changes.samples())
                strata.push_back(seen.try_emplace({each.source, each.label}, seen.size()).first->second);
              return strata;
            }(),
            5, 3) == act_test::golden_selection().at("folds").get<numbers>());
  CHECK(folds_of(changes, over, first, 0) != folds_of(changes, over, first, 1));
  for (const search_objective objective : act_test::every_objective) {
    CAPTURE(name_of(objective));
    const act::search::chosen_set set =
        choose_set(parse_selection("top", objective), changes, over, {.folds = 5, .repeats = 2, .seed = 11});
    const nlohmann::json& golden = act_test::golden_of(objective).at("top_estimates");
    REQUIRE(set.estimates.size() == golden.size());
    for (std::size_t i = 0; i < golden.size(); ++i) {
      CHECK(set.estimates[i].recipe.size == golden[i].at("heads").get<std::size_t>());
      CHECK(std::fabs(set.estimates[i].gain - golden[i].at("gain").get<double>()) < 1e-10);
      CHECK(std::fabs(set.estimates[i].standard_error - golden[i].at("standard_error").get<double>()) <
            1e-10);
    }
  }
}

TEST_CASE("the order of the table's heads doesn't matter, and a choice repeats") {
  const numbers mixed{7, 19, 0, 3, 12, 5, 18, 1, 2, 4, 6, 8, 17, 9, 11, 10, 16, 13, 15, 14};
  const act::search::trial_table trials = act_test::golden_trials(), other = act_test::golden_trials(mixed);
  for (const char* rule :
       {"paper", "top", "top:5", "top:30%", "fdr:0.2", "stable", "stable:8", "shared", "shared:4", "additive",
        "greedy", "balanced", "balanced:7", "random:5:3", "initial-mass:4", "all"}) {
    CAPTURE(rule);
    const std::vector<act::layer_head> found = picked(trials, rule, search_objective::centred);
    CHECK(found == picked(other, rule, search_objective::centred));
    CHECK(found == picked(trials, rule, search_objective::centred));
  }
}

TEST_CASE("N% is of all heads that are searched, those that racing has stopped too") {
  const act::search::trial_table trials = act_test::golden_trials();
  const std::size_t samples = trials.samples().size();
  REQUIRE(trials.heads().size() == 20);
  const auto objective = search_objective::likelihood;
  for (const char* rule : {"top:30%", "greedy:30%", "balanced:30%"}) {
    CAPTURE(rule);
    const std::vector<act::layer_head> all = picked(trials, rule, objective);
    REQUIRE(all.size() == 6);
    act::search::trial_table raced({trials.heads().begin(), trials.heads().end()},
                                   {trials.samples().begin(), trials.samples().end()});
    for (std::size_t sample = 0; sample < samples; ++sample) {
      raced.set_plain(sample, trials.plain(sample));
      for (std::size_t head = 0; head < 20; ++head) {
        const bool stays = std::find(all.begin(), all.end(), trials.heads()[head]) != all.end();
        if (stays || sample == 0) raced.set_trial(head, sample, trials.calibrated(head, sample), true);
      }
    }
    REQUIRE(score_changes(raced).head_count() == 6);
    CHECK(picked(raced, rule, objective) == all);
  }
}

TEST_CASE("a rule's worth of heads orders them as it takes them") {
  const act::search::trial_table trials = act_test::golden_trials();
  const score_changes changes(trials);
  for (const char* rule : {"top:33%", "greedy:5", "balanced:33%"}) {
    CAPTURE(rule);
    const act::search::selection_rule asked = parse_selection(rule, search_objective::mixed);
    const std::vector<double> worth = act::search::worth_by(asked)(trials);
    numbers order(worth.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return worth[a] > worth[b]; });
    act::search::selection_rule every = asked;
    every.count = worth.size();
    const act::search::head_order taken = choose_set(every, changes, all_samples(changes), {}).heads;
    REQUIRE(taken.size() > 5);
    CHECK(numbers(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(taken.size())) == taken);
    // Of the others none would be taken.
    for (std::size_t place = 0; place < order.size(); ++place)
      CHECK((worth[order[place]] > 0) == (place < taken.size()));
  }
}

TEST_CASE("of several strengths each rule takes what numpy takes, one a head") {
  const act::search::trial_table trials = act_test::golden_trials_of_two_strengths();
  const score_changes changes(trials);
  const numbers over = all_samples(changes);
  REQUIRE(changes.head_count() == 10);
  REQUIRE(changes.heads().size() == 20);
  for (const search_objective objective : act_test::every_objective) {
    CAPTURE(name_of(objective));
    const nlohmann::json& golden = act_test::golden_of(objective).at("two_strengths");
    const auto expected = [&](const char* of) { return golden.at(of).get<numbers>(); };
    const auto take = [&](std::string_view rule) {
      return choose_set(parse_selection(rule, objective), changes, over, {}).heads;
    };
    numbers best = expected("by_gain"), joint = expected("joint");
    CHECK(take("top:99") == best);
    CHECK(take("top:100%") == best);
    CHECK(take("greedy:12") == joint);
    CHECK(with_one_strength(changes, by_balanced_gain(changes, act_test::seen_by(objective, changes),
                                                      objective, over, 12)) == expected("balanced"));
    if (objective == search_objective::centred) CHECK(take("balanced:12") == expected("balanced"));
    CHECK(take("fdr:0.3") == expected("fdr"));
    CHECK(take("all") == expected("all"));
    best.resize(std::min<std::size_t>(3, best.size()));
    CHECK(take("top:3") == best);
    CHECK(take("top:30%") == best);  // of the heads, not of the trials
    const score_changes seen = act_test::seen_by(objective, changes);
    const auto once = [&](const act::search::head_order& order) { return with_one_strength(changes, order); };
    CHECK(once(by_studentised_gain(seen, objective, over)) == expected("studentised"));
    CHECK(once(by_shared_gain(seen, objective, over)) == expected("shared"));
    CHECK(act::search::steady_heads(resampled_places(seen, objective, over, 50, 9), 6) == expected("steady"));
    const act::search::chosen_set set =
        choose_set(parse_selection("top", objective), changes, over, {.folds = 5, .repeats = 2, .seed = 11});
    REQUIRE(set.estimates.size() == golden.at("top_estimates").size());
    for (std::size_t i = 0; i < set.estimates.size(); ++i) {
      const nlohmann::json& each = golden.at("top_estimates")[i];
      CHECK(set.estimates[i].recipe.size == each.at("heads").get<std::size_t>());
      CHECK(std::fabs(set.estimates[i].gain - each.at("gain").get<double>()) < 1e-10);
    }
    for (const char* rule : {"paper", "top", "stable", "stable:4", "shared:5", "additive", "random:6:3"}) {
      CAPTURE(rule);
      std::set<act::layer_head> once_each;
      const act::search::head_order taken = take(rule);
      for (const std::size_t head : taken)
        once_each.insert(changes.heads()[head]);
      CHECK(once_each.size() == taken.size());
    }
    CHECK(take("random:6:3").size() == 6);
  }
  // What is picked says with which strength.
  const auto picked = select_heads(trials, parse_selection("all", search_objective::mixed));
  const numbers all =
      act_test::golden_of(search_objective::mixed).at("two_strengths").at("all").get<numbers>();
  REQUIRE(picked.heads.size() == all.size());
  const std::vector<double> strengths = strengths_of(picked.heads);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(picked.heads[i].strength == (all[i] % 2 == 0 ? 0.5 : 2));
    CHECK(strengths[i] == picked.heads[i].strength);
  }
}

TEST_CASE("the heads that attend most to the initial token are taken whatever they gain") {
  const act::search::trial_table from = act_test::golden_trials();
  act::search::trial_table trials({from.heads().begin(), from.heads().end()},
                                  {from.samples().begin(), from.samples().end()});
  std::map<double, std::size_t> by_mean;  // over sources, then their samples
  for (std::size_t head = 0; head < from.heads().size(); ++head) {
    std::map<std::size_t, std::pair<double, double>> sums;
    for (std::size_t sample = 0; sample < from.samples().size(); ++sample) {
      // Where samples counted alike, whichever source they are of, the order would be another.
      const std::size_t source = from.samples()[sample].source;
      const double mass = 0.3 + 0.01 * static_cast<double>((head * 7 + 3) % 20) +
                          (source == 0 ? -0.013 : 0.02) * static_cast<double>(head % 3) +
                          0.001 * static_cast<double>((sample * 5 + head) % 11);
      trials.set_plain(sample, from.plain(sample));
      trials.set_trial(head, sample, from.calibrated(head, sample), true, mass);
      sums[source].first += mass;
      sums[source].second += 1;
    }
    double mean = 0;
    for (const auto& [source, sum] : sums)
      mean += sum.first / sum.second / static_cast<double>(sums.size());
    by_mean[mean] = head;
  }
  std::vector<act::layer_head> expected;
  for (auto each = by_mean.rbegin(); each != by_mean.rend() && expected.size() < 6; ++each)
    expected.push_back(from.heads()[each->second]);
  for (const search_objective objective : act_test::every_objective) {
    CHECK(picked(trials, "initial-mass:6", objective) == expected);
    CHECK(picked(trials, "initial-mass:30%", objective) == expected);
  }
  CHECK_THROWS_AS((void)parse_selection("initial-mass", search_objective::mixed), const act::error&);
  CHECK_THROWS_AS((void)parse_selection("initial-mass:0", search_objective::mixed), const act::error&);
}

TEST_CASE("heads that only add noise are left alone when K isn't given") {
  std::vector<act::layer_head> heads;
  for (std::size_t head = 0; head < 30; ++head)
    heads.push_back({head / 6, head % 6});
  std::vector<act::search::table_sample> samples;
  for (std::size_t i = 0; i < 60; ++i)
    samples.push_back({.label = i % 2, .scores = 2, .source = 0});
  act::runtime::splitmix64 draw(5);
  const auto noise = [&] { return static_cast<double>(draw() >> 11) / 9007199254740992.0 - 0.5; };
  act::search::trial_table trials(heads, samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::vector<double> plain{noise(), noise()};
    trials.set_plain(i, plain);
    for (std::size_t head = 0; head < heads.size(); ++head)
      trials.set_trial(head, i, std::vector<double>{plain[0] + noise(), plain[1] + noise()}, true);
  }
  for (const char* rule : {"top", "stable", "shared", "additive", "greedy"}) {
    CAPTURE(rule);
    CHECK(picked(trials, rule, search_objective::centred).empty());
  }
  CHECK(!picked(trials, "top:15", search_objective::centred).empty());
}

TEST_CASE("of two heads that do the same, greedy takes another one first") {
  act::search::trial_table trials({{0, 0}, {0, 1}, {0, 2}},
                                  std::vector<act::search::table_sample>(4, {0, 2, 0}));
  for (std::size_t i = 0; i < 4; ++i) {
    trials.set_plain(i, std::vector<double>{0, 1});
    // The first two help the first two samples much, the third the others a little less.
    for (std::size_t head = 0; head < 2; ++head)
      trials.set_trial(head, i, std::vector<double>{i < 2 ? 4.0 : 0.0, 1}, true);
    trials.set_trial(2, i, std::vector<double>{i < 2 ? 0.0 : 3.0, 1}, true);
  }
  const score_changes changes(trials);
  const numbers over = all_samples(changes);
  CHECK(by_gain(changes, search_objective::likelihood, over) == numbers{0, 1, 2});
  CHECK(by_joint_gain(changes, search_objective::likelihood, over, 3) == numbers{0, 2, 1});
}

TEST_CASE("shared prefers a head that gains in both files to one that gains more in one") {
  // Two files; head 0 gains 0.5 in both, head 1 gains 1.6 in the first and nothing in the second, others
  // vary.
  std::vector<act::layer_head> heads;
  for (std::size_t head = 0; head < 12; ++head)
    heads.push_back({0, head});
  std::vector<act::search::table_sample> samples;
  for (std::size_t i = 0; i < 40; ++i)
    samples.push_back({.label = 0, .scores = 2, .source = i % 2});
  act::search::trial_table trials(heads, samples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    trials.set_plain(i, std::vector<double>{0, 0});
    for (std::size_t head = 0; head < heads.size(); ++head) {
      const double wobble = 0.1 * std::sin(static_cast<double>(17 * i + 5 * head));
      double gain = 0.05 * std::cos(static_cast<double>(3 * head + i % 2));
      if (head == 0) gain = 0.5;
      if (head == 1) gain = i % 2 == 0 ? 1.6 : 0;
      trials.set_trial(head, i, std::vector<double>{gain + wobble, 0}, true);
    }
  }
  const score_changes changes(trials);
  CHECK(by_gain(changes, search_objective::likelihood, all_samples(changes)).front() == 1);
  CHECK(by_shared_gain(changes, search_objective::likelihood, all_samples(changes)).front() == 0);
}

TEST_CASE("random heads are the seed's, and as many as asked for") {
  const auto heads = [](std::string_view rule) {
    return picked(act_test::golden_trials(), rule, search_objective::accuracy);
  };
  CHECK(heads("random:5").size() == 5);
  CHECK(heads("random:5:7") == heads("random:5:7"));
  CHECK(heads("random:5:7") != heads("random:5:8"));
  CHECK(heads("random:99").size() == 20);
}

TEST_CASE("what rounding moves is no gain") {
  act::search::trial_table trials({{0, 0}, {0, 1}}, std::vector<act::search::table_sample>(20, {0, 2, 0}));
  for (std::size_t i = 0; i < 20; ++i) {
    trials.set_plain(i, std::vector<double>{0, 0});
    trials.set_trial(0, i, std::vector<double>{2e-6, 0}, true);
    trials.set_trial(1, i, std::vector<double>{2e-2, 0}, true);
  }
  CHECK(picked(trials, "top:2", search_objective::likelihood) == std::vector<act::layer_head>{{0, 1}});
}

TEST_CASE("N% is that part of the searched heads, one at least") {
  const act::search::trial_table trials = act_test::golden_trials();  // 20 heads
  for (const char* rule : {"top", "stable", "shared", "greedy", "random"}) {
    CAPTURE(rule);
    const auto picked_by = [&](const std::string& count) {
      return picked(trials, rule + (":" + count), search_objective::centred);
    };
    CHECK(picked_by("25%") == picked_by("5"));
    CHECK(picked_by("32.6%") == picked_by("7"));
    CHECK(picked_by("0.1%") == picked_by("1"));
    CHECK(picked_by("100%") == picked_by("20"));
  }
}

TEST_CASE("a table without samples or heads selects nothing") {
  for (const char* rule :
       {"paper", "top", "top:3", "fdr", "stable", "shared", "additive", "greedy", "random:3", "all"}) {
    CAPTURE(rule);
    CHECK(picked(act::search::trial_table(), rule, search_objective::centred).empty());
    CHECK(picked(act::search::trial_table({}, {{0, 2, 0}}), rule, search_objective::auc).empty());
  }
}

TEST_CASE("sizes to try end with every head") {
  CHECK(act::search::sizes_to_try(0).empty());
  CHECK(act::search::sizes_to_try(1) == numbers{1});
  CHECK(act::search::sizes_to_try(7) == numbers{1, 2, 3, 4, 5, 6, 7});
  const numbers many = act::search::sizes_to_try(1000);
  CHECK(many.back() == 1000);
  CHECK(many.size() < 45);
}

TEST_CASE("rules that aren't rules are refused") {
  for (const char* text : {"",
                           "best",
                           "top:",
                           "top:0",
                           "top:-1",
                           "top:%",
                           "top:0%",
                           "top:101%",
                           "top:nan%",
                           "top:3x",
                           "top:99999999999999999999",
                           "paper:3",
                           "fdr:0",
                           "fdr:1",
                           "fdr:nan",
                           "fdr:x",
                           "stable:0",
                           "additive:3",
                           "random",
                           "random:",
                           "random:0",
                           "random:3:",
                           "random:3:x",
                           "random:3:4:5",
                           "all:1",
                           "greedy:",
                           "TOP"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_selection(text, search_objective::accuracy), const act::error&);
  }
}
