// The shots that a run shows before each sample.
#include "message_of.hpp"

#include <act/tasks/few_shot.hpp>
#include <act/tasks/shots.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

std::vector<act::tasks::sample> numbered(std::size_t count) {
  std::vector<act::tasks::sample> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i].index = i;
    samples[i].fields["text"] = std::to_string(i);
    samples[i].fields["subject"] = i < 3 ? "knots" : "ships";
  }
  return samples;
}

std::vector<std::size_t> indices(const std::vector<act::tasks::sample>& samples) {
  std::vector<std::size_t> found;
  for (const act::tasks::sample& each : samples)
    found.push_back(each.index);
  return found;
}

}  // namespace

TEST_CASE("drawn shots are the same for every sample of another file") {
  const auto pool = numbered(10);
  const auto shots = act::tasks::few_shots(act::tasks::find_task("sst2"), pool, 4, 42, false);
  CHECK(indices(shots(pool[0])) == std::vector<std::size_t>{3, 2, 4, 5});
  CHECK(indices(shots(pool[3])) == std::vector<std::size_t>{3, 2, 4, 5});
}

TEST_CASE("a sample of the same file is never its own shot") {
  const auto pool = numbered(10);
  for (std::size_t run = 0; run < 5; ++run) {
    const auto shots =
        act::tasks::few_shots(act::tasks::find_task("sst2"), pool, 9, act::tasks::shot_seed(run), true);
    for (const act::tasks::sample& asked : pool) {
      const auto shown = indices(shots(asked));
      CHECK(shown.size() == 9);
      CHECK(std::count(shown.begin(), shown.end(), asked.index) == 0);
    }
  }
  CHECK(act_test::message_of([&] {
          return act::tasks::few_shots(act::tasks::find_task("sst2"), pool, 10, 0, true);
        }) == "shots: the file has 10 samples, too few for 10 shots beside the asked one; ask for fewer");
}

TEST_CASE("mmlu shows the first rows of the subject's development file") {
  const auto pool = numbered(6);
  const act::tasks::task& mmlu = act::tasks::find_task("mmlu");
  CHECK(!act::tasks::shots_are_drawn(mmlu));
  CHECK(indices(act::tasks::few_shots(mmlu, pool, 2, 0, false)(pool[5])) == std::vector<std::size_t>{3, 4});
  CHECK(act_test::message_of([&] {
          return act::tasks::few_shots(mmlu, pool, 2, 0, true);
        }).find("give the subject's _dev.csv") != std::string::npos);
  CHECK(act_test::message_of([&] {
          act::tasks::few_shots(mmlu, pool, 2, 0, false)(pool[4]);
        }).find("would show sample 4 its own answer") != std::string::npos);
}
