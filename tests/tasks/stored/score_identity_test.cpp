// What a score depends on: whatever changes it changes an identity, nothing else does.
#include <doctest/doctest.h>
#include <act/runtime/model_calibration.hpp>
#include <act/tasks/stored/score_identity.hpp>

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

using act::runtime::model_calibration;
using act::tasks::pass_identity;
using act::tasks::prepared_sample;
using act::tasks::sample_identities;

namespace {

// A batch in which samples don't depend on each other.
std::vector<std::string> identities_of(const prepared_sample& sample, bool with_part) {
  std::vector<prepared_sample> batch(12);
  batch.front() = sample;
  return sample_identities(batch, with_part);
}

}  // namespace

TEST_CASE("a pass goes by its heads and how they are calibrated, each option of which counts") {
  const model_calibration some{.heads = {{1, 0}, {2, 3}}, .options = {}};
  CHECK(pass_identity({}) == "plain");
  CHECK(pass_identity({.heads = {}, .options = {.beta = 0.1}}) == "plain");
  CHECK(pass_identity(some) ==
        "heads 1.0 2.3 rule relative alpha 5 tau 0.10000000000000001 min-visible-rows 1 position-limit 0 "
        "beta 0.40000000000000002 redistribution proportional theta 1.1000000000000001 compatibility none "
        "columns sinks factor 1");
  const std::vector<std::function<void(model_calibration&)>> changes{
      [](model_calibration& it) {
        it.heads = {{1, 0}};
      },
      [](model_calibration& it) {
        it.heads = {{1, 0}, {3, 2}};
      },
      [](model_calibration& it) { it.masks = true; },
      [](model_calibration& it) {
        it.strengths = {0.4, 0.4};
      },
      [](model_calibration& it) {
        it.strengths = {0.4, 0.5};
      },
      [](model_calibration& it) { it.options.beta = 0.4 + 1e-16; },
      [](model_calibration& it) { it.options.theta = 2; },
      [](model_calibration& it) { it.options.factor = 2; },
      [](model_calibration& it) { it.options.sinks.alpha = 4; },
      [](model_calibration& it) { it.options.sinks.tau = 0.2; },
      [](model_calibration& it) { it.options.sinks.min_visible_rows = 2; },
      [](model_calibration& it) { it.options.sinks.position_limit = 9; },
      [](model_calibration& it) { it.options.sinks.rule = act::sink_rule::absolute; },
      [](model_calibration& it) { it.options.redistribute = act::redistribution::uniform; },
      [](model_calibration& it) { it.options.behave_as = act::compatibility::authors; },
      [](model_calibration& it) { it.options.columns = act::column_choice::initial_token; },
      [](model_calibration& it) { it.options.columns = act::column_choice::span; }};
  std::set<std::string> all{"plain", pass_identity(some)};
  for (const auto& change : changes) {
    model_calibration other = some;
    change(other);
    all.insert(pass_identity(other));
  }
  CHECK(all.size() == changes.size() + 2);
}

TEST_CASE("a sample goes by its tokens and what is scored of them, not by its label or place") {
  const prepared_sample some{
      .index = 1, .label = 0, .prompt = {1, 2, 3}, .words = {4, 5}, .subset = {1}, .option_subsets = {}};
  const std::string own = identities_of(some, false).front();
  CHECK(own.size() == 64);
  prepared_sample same = some;
  same.index = 7;
  same.label = 1;
  same.subset = {2};
  CHECK(identities_of(same, false).front() == own);
  const std::vector<std::function<void(prepared_sample&)>> changes{
      [](prepared_sample& it) {
        it.prompt = {1, 2};
      },
      [](prepared_sample& it) {
        it.words = {3, 4, 5}, it.prompt = {1, 2};
      },
      [](prepared_sample& it) {
        it.words = {5, 4};
      },
      [](prepared_sample& it) {
        it.options = {{.tokens = {1, 2}, .first_scored = 1}};
      },
      [](prepared_sample& it) {
        it.options = {{.tokens = {1, 2, 3}, .first_scored = 1}};
      },
      [](prepared_sample& it) {
        it.options = {{.tokens = {1, 2, 3}, .first_scored = 2}};
      },
      [](prepared_sample& it) { it.option_bytes = {3}; },
      [](prepared_sample& it) {
        it.greedy_tokens = {{1, 2}, {3}};
      },
      [](prepared_sample& it) {
        it.greedy_tokens = {{1}, {2, 3}};
      }};
  std::set<std::string> all{own, identities_of(some, true).front(), identities_of(same, true).front()};
  for (const auto& change : changes) {
    prepared_sample other = some;
    change(other);
    all.insert(identities_of(other, false).front());
  }
  prepared_sample other = some;
  other.option_subsets = {{1}};
  all.insert(identities_of(other, true).front());
  CHECK(all.size() == changes.size() + 4);
}

TEST_CASE("in a batch of a few a sample goes by all of them too: products of few rows are others") {
  const auto batch_of = [](std::size_t count) {
    std::vector<prepared_sample> batch(count);
    for (std::size_t i = 0; i < count; ++i)
      batch[i].prompt = {static_cast<act::runtime::token_id>(i)};
    return batch;
  };
  std::set<std::string> firsts;
  for (std::size_t count = 1; count <= 9; ++count)
    firsts.insert(sample_identities(batch_of(count), false).front());
  CHECK(firsts.size() == 5);  // of one, two, three, four, and of more
}
