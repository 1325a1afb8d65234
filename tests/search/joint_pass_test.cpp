// Whole passes with a set of heads: one head's are its trial's numbers, and a verification says what is what.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/state.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "tiny_search.hpp"

namespace {

act::search::search_outcome searched(const act_test::tiny_search& tiny) {
  act::search::search_state state(":memory:", tiny.plan.identity());
  return act::search::run_exact_search(tiny.model, tiny.plan, state);
}

}  // namespace

TEST_CASE("a whole pass with one head calibrated gives its trial's scores, one with none the plain ones") {
  for (const act_test::tiny_search& tiny :
       {act_test::make_tiny_search(), act_test::with_options(act_test::make_tiny_search())}) {
    const act::search::search_outcome outcome = searched(tiny);
    const auto check = [](const std::vector<double>& found, std::span<const double> expected) {
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::fabs(found[i] - expected[i]) < 1e-4);
    };
    const auto none = joint_scores(tiny.model, tiny.plan, {});
    for (std::size_t sample = 0; sample < none.size(); ++sample)
      check(none[sample], outcome.trials.plain(sample));
    for (std::size_t head = 0; head < outcome.trials.heads().size(); head += 3) {
      const auto joint = joint_scores(tiny.model, tiny.plan, {outcome.trials.heads()[head]});
      for (std::size_t sample = 0; sample < joint.size(); ++sample)
        check(joint[sample], outcome.trials.calibrated(head, sample));
    }
  }
}

TEST_CASE("sets that are run together say what each says alone, to the bit") {
  for (const act_test::tiny_search& tiny :
       {act_test::make_tiny_search(), act_test::with_options(act_test::make_tiny_search())}) {
    const act::head_set two{act::layer_head{1, 0}, act::layer_head{2, 1}};
    const std::vector<act::search::joint_set> sets{{.heads = two},
                                                   {.heads = {}},
                                                   {.heads = two, .strengths = {0, 0.9}},
                                                   {.heads = {act::layer_head{1, 0}}}};
    std::size_t samples = 0;
    const auto together =
        joint_scores_of_each(tiny.model, tiny.plan, sets, [&](std::size_t count) { samples += count; });
    CHECK(samples == tiny.plan.samples.size());
    REQUIRE(together.size() == sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i)
      CHECK(together[i] == joint_scores(tiny.model, tiny.plan, sets[i].heads, sets[i].strengths));
    CHECK(together[0] != together[2]);
  }
}

TEST_CASE("a verification has the plain accuracy, the estimate's and the passes'") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::search::search_outcome outcome = searched(tiny);
  const act::search::head_selection picked = act::search::select_heads(
      outcome.trials, act::search::parse_selection("top:3", act::search::search_objective::likelihood));
  REQUIRE(!picked.heads.empty());
  const auto joint = joint_scores(tiny.model, tiny.plan, act::search::heads_of(picked.heads));
  const auto verified = act::search::verify_selection(outcome.trials, picked, joint);
  REQUIRE(verified.size() == 1);
  CHECK(verified[0].samples == tiny.plan.samples.size());
  CHECK(verified[0].accuracy.plain ==
        doctest::Approx(static_cast<double>(outcome.plain_correct) / static_cast<double>(outcome.samples)));
  double right = 0;
  for (std::size_t i = 0; i < joint.size(); ++i) {
    std::size_t best = 0;
    for (std::size_t answer = 1; answer < joint[i].size(); ++answer) {
      if (joint[i][answer] > joint[i][best]) best = answer;
    }
    right += best == tiny.plan.samples[i].label ? 1 : 0;
  }
  CHECK(verified[0].accuracy.joint == doctest::Approx(right / static_cast<double>(joint.size())));

  // One head's estimate is exact.
  const act::search::head_selection one = act::search::select_heads(
      outcome.trials, act::search::parse_selection("top:1", act::search::search_objective::likelihood));
  const auto alone = act::search::verify_selection(
      outcome.trials, one, joint_scores(tiny.model, tiny.plan, act::search::heads_of(one.heads)));
  CHECK(alone[0].accuracy.joint == doctest::Approx(alone[0].accuracy.estimated));
  CHECK_THROWS_AS((void)act::search::verify_selection(outcome.trials, one, {}), const act::error&);
}

TEST_CASE("sets beside the rule's own: next to its K, or next best by cross-validation, each once") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::search::search_outcome outcome = searched(tiny);
  const auto parsed = [](const char* rule) {
    return act::search::parse_selection(rule, act::search::search_objective::likelihood);
  };
  const auto sizes = [&](const char* rule, std::size_t count) {
    std::vector<std::size_t> found;
    const auto own = act::search::select_heads(outcome.trials, parsed(rule));
    for (const auto& each : act::search::best_alternatives(outcome.trials, parsed(rule), own, count)) {
      found.push_back(each.picked.heads.size());
      // The rule that comes with it takes it, where K is given.
      if (own.estimates.empty())
        CHECK(heads_of(act::search::select_heads(outcome.trials, each.rule).heads) ==
              heads_of(each.picked.heads));
    }
    return found;
  };
  CHECK(sizes("top:4", 1) == std::vector<std::size_t>{4});
  CHECK(sizes("top:4", 4) == std::vector<std::size_t>{4, 5, 3, 6});
  CHECK(sizes("random:4", 4) == std::vector<std::size_t>{4});
  CHECK(sizes("all", 4).size() == 1);

  // As if cross-validation had said so.
  act::search::head_selection own = act::search::select_heads(outcome.trials, parsed("top"));
  REQUIRE(own.estimates.size() > 8);
  for (std::size_t i = 0; i < own.estimates.size(); ++i)
    own.estimates[i].gain = i == 3 ? 5 : i == 6 ? 4 : i == 2 ? 3 : i == 0 ? 0 : -1;
  own.chosen = 3;
  own.heads = act::search::select_heads(outcome.trials, parsed("top:3")).heads;
  const auto sets = act::search::best_alternatives(outcome.trials, parsed("top"), own, 9);
  REQUIRE(sets.size() == 3);
  CHECK(sets[1].picked.heads.size() == 6);
  CHECK(sets[1].picked.chosen == 6);
  CHECK(sets[2].picked.heads.size() == 2);
}

TEST_CASE("what a set gains by whole passes is the objective's change, and an only head's estimate is it") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act::search::search_outcome outcome = searched(tiny);
  const auto likelihood = act::search::search_objective::likelihood;
  const auto picked =
      act::search::select_heads(outcome.trials, act::search::parse_selection("top:5", likelihood));
  const auto joint = joint_scores(tiny.model, tiny.plan, act::search::heads_of(picked.heads));
  const auto right = [&](std::span<const double> row, std::size_t sample) {
    double sum = 0;
    for (const double score : row)
      sum += std::exp(score);
    return row[tiny.plan.samples[sample].label] - std::log(sum);
  };
  double gain = 0, estimate = 0;
  for (std::size_t sample = 0; sample < joint.size(); ++sample) {
    const auto plain = outcome.trials.plain(sample);
    std::vector<double> added(plain.begin(), plain.end());
    for (const auto& head : picked.heads) {
      const auto of = outcome.trials.calibrated(head.layer * tiny.model.config.heads + head.head, sample);
      for (std::size_t i = 0; i < added.size(); ++i)
        added[i] += of[i] - plain[i];
    }
    gain += (right(joint[sample], sample) - right(plain, sample)) / static_cast<double>(joint.size());
    estimate += (right(added, sample) - right(plain, sample)) / static_cast<double>(joint.size());
  }
  const act::search::measured_set found = measure(outcome.trials, picked, likelihood, joint);
  CHECK(found.heads == 5);
  CHECK(found.joint_gain == doctest::Approx(gain));
  CHECK(found.estimated_gain == doctest::Approx(estimate));
  CHECK(std::fabs(gain - estimate) > 1e-5);  // heads influence each other
  for (const auto objective : {act::search::search_objective::centred, act::search::search_objective::mixed,
                               act::search::search_objective::auc, likelihood}) {
    const auto one =
        act::search::select_heads(outcome.trials, act::search::parse_selection("random:1:3", objective));
    REQUIRE(one.heads.size() == 1);
    const auto alone =
        measure(outcome.trials, one, objective, joint_scores(tiny.model, tiny.plan, heads_of(one.heads)));
    CHECK(std::fabs(alone.joint_gain - alone.estimated_gain) < 1e-4);
    // The order of so few samples needn't change.
    if (objective != act::search::search_objective::auc) CHECK(alone.joint_gain != 0);
  }
  CHECK_THROWS_AS((void)measure(outcome.trials, picked, likelihood, {}), const act::error&);
}

TEST_CASE("a state keeps a set's whole passes, by its heads and strengths") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  act::search::search_state state(":memory:", tiny.plan.identity());
  const act::head_set heads{act::layer_head{2, 1}, act::layer_head{1, 3}};
  CHECK(act::search::heads_name(heads, {}) == "1.3 2.1");
  const std::vector<double> strengths{0.5, 0};
  CHECK(act::search::heads_name(heads, strengths) == "1.3@0.5 2.1@0");
  CHECK(!state.load_joint("1.3 2.1", tiny.plan.samples));
  const auto joint = joint_scores(tiny.model, tiny.plan, heads);
  state.save_joint("1.3 2.1", joint);
  CHECK(state.load_joint("1.3 2.1", tiny.plan.samples).value() == joint);
  CHECK(!state.load_joint("1.3@0.5 2.1@0", tiny.plan.samples));
  CHECK_THROWS_AS((void)state.load_joint("1.3 2.1", std::span(tiny.plan.samples).first(2)),
                  const act::error&);
}
