// Whole passes with a set of heads: one head's are its trial's numbers, and a verification says what is what.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/joint_pass.hpp>
#include <act/search/selection/select_heads.hpp>
#include <act/search/state.hpp>

#include <cmath>
#include <cstddef>
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
