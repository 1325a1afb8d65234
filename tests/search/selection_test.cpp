#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/selection.hpp>

#include <algorithm>
#include <array>

namespace {

act::search::head_evidence evidence(std::size_t layer, std::size_t head, std::size_t gained, std::size_t lost,
                                    double gain) {
  return {.layer = layer,
          .head = head,
          .correct = 0,
          .gained = gained,
          .lost = lost,
          .with_sinks = 1,
          .log_likelihood_gain = gain};
}

const std::vector<act::search::head_evidence> tried = {
    evidence(2, 0, 5, 1, 0.01), evidence(2, 1, 0, 0, 0.30), evidence(3, 0, 4, 0, -0.02),
    evidence(3, 1, 1, 3, 0.20), evidence(4, 0, 0, 0, 0.0),
};

act::head_set picked(std::string_view rule, act::search::search_objective objective) {
  return act::search::heads_of(
      act::search::select_heads(tried, act::search::parse_selection(rule, objective)));
}

}  // namespace

TEST_CASE("the paper's rule picks every head that beats the plain accuracy") {
  CHECK(picked("paper", act::search::search_objective::accuracy) == act::head_set{{2, 0}, {3, 0}});
  CHECK(picked("paper", act::search::search_objective::likelihood) == act::head_set{{2, 0}, {3, 0}});
}

TEST_CASE("top:K picks the best that improve the objective, never one that doesn't") {
  CHECK(picked("top:1", act::search::search_objective::accuracy) ==
        act::head_set{{2, 0}});  // tie in net: likelihood decides
  CHECK(picked("top:9", act::search::search_objective::accuracy) == act::head_set{{2, 0}, {3, 0}});
  CHECK(picked("top:2", act::search::search_objective::likelihood) == act::head_set{{2, 1}, {3, 1}});
  CHECK(picked("top:9", act::search::search_objective::likelihood) == act::head_set{{2, 0}, {2, 1}, {3, 1}});
  CHECK(act::search::select_heads({}, {.top = 3, .objective = act::search::search_objective::likelihood})
            .empty());
}

TEST_CASE("the order of the evidence doesn't matter") {
  std::vector<act::search::head_evidence> reversed(tried.rbegin(), tried.rend());
  const act::search::selection_rule rule{.top = 2, .objective = act::search::search_objective::likelihood};
  const auto a = act::search::select_heads(tried, rule);
  const auto b = act::search::select_heads(reversed, rule);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK((a[i].layer == b[i].layer && a[i].head == b[i].head));
}

TEST_CASE("rules that aren't rules are refused") {
  for (const char* text :
       {"", "best", "top", "top:", "top:0", "top:-1", "top:3x", "top:99999999999999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)act::search::parse_selection(text, act::search::search_objective::accuracy),
                    act::error);
  }
}
