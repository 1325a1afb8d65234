// Which shots a sample gets.
#include "message_of.hpp"

#include <act/tasks/selection.hpp>
#include <act/tasks/shots.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

TEST_CASE("the five seeds are 42 times the run") {
  CHECK(act::tasks::shot_seed(0) == 0);
  CHECK(act::tasks::shot_seed(1) == 42);
  CHECK(act::tasks::shot_seed(4) == 168);
}

TEST_CASE("drawn shots are the selection in drawing order, the same for every sample") {
  const act::tasks::drawn_shots shots(10, 4, 42);
  CHECK(shots.for_sample() == std::vector<std::size_t>{3, 2, 4, 5});
  CHECK(shots.for_sample(9) == std::vector<std::size_t>{3, 2, 4, 5});
}

TEST_CASE("a sample is never its own shot") {
  const std::vector<std::size_t> order = act::tasks::select(10, 5, 42);
  const act::tasks::drawn_shots shots(10, 4, 42);
  CHECK(shots.for_sample(2) == std::vector<std::size_t>{3, 4, 5, order[4]});
  for (std::size_t own = 0; own < 10; ++own) {
    const auto given = shots.for_sample(own);
    CHECK(given.size() == 4);
    CHECK(std::count(given.begin(), given.end(), own) == 0);
  }
}

TEST_CASE("balanced shots: as many of each label or one more, the same number for a sample of the pool") {
  // Label 2 is rare, label 1 there never.
  std::vector<std::size_t> labels;
  for (std::size_t i = 0; i < 30; ++i)
    labels.push_back(i % 10 == 3 ? 2 : i % 2 == 0 ? 0 : 3);
  const auto counted = [&](const std::vector<std::size_t>& shots) {
    std::vector<std::size_t> counts(4);
    for (const std::size_t shot : shots)
      ++counts[labels[shot]];
    return counts;
  };
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const act::tasks::balanced_shots six(labels, 6, seed);
    CHECK(counted(six.for_sample()) == std::vector<std::size_t>{2, 0, 2, 2});
    for (std::size_t own = 0; own < labels.size(); ++own) {
      const auto given = six.for_sample(own);
      CHECK(counted(given) == std::vector<std::size_t>{2, 0, 2, 2});
      CHECK(std::count(given.begin(), given.end(), own) == 0);
    }
    const auto seven = counted(act::tasks::balanced_shots(labels, 7, seed).for_sample());
    CHECK(std::count(seven.begin(), seven.end(), 3) == 1);
    CHECK(std::count(seven.begin(), seven.end(), 2) == 2);
  }
  CHECK(act::tasks::balanced_shots(labels, 6, 0).for_sample() !=
        act::tasks::balanced_shots(labels, 6, 1).for_sample());
  CHECK(act_test::message_of([&] { act::tasks::balanced_shots(labels, 12, 0); }) ==
        "shots: the file has 3 samples of label 2, too few for 4 balanced shots of it; ask for fewer");
  CHECK(act_test::message_of([&] { (void)act::tasks::balanced_shots(labels, 9, 0).for_sample(3); }) ==
        "shots: the file has too few samples of a label beside the asked one for balanced shots; ask for "
        "fewer");
}

TEST_CASE("too few samples to draw from") {
  CHECK(act::tasks::drawn_shots(3, 3, 0).for_sample().size() == 3);
  CHECK(act::tasks::drawn_shots(0, 0, 0).for_sample().empty());
  CHECK(act_test::message_of([] { return act::tasks::drawn_shots(3, 3, 0).for_sample(1); }) ==
        "shots: the file has no sample beside the asked one for shot 3; ask for fewer");
  CHECK(act_test::message_of([] { act::tasks::drawn_shots(3, 4, 0); }) ==
        "selection: can't choose 4 of 3 samples; ask for fewer");
}

TEST_CASE("squad shots are the paragraph's other questions in file order") {
  std::vector<act::tasks::sample> samples(6);
  samples[0].group = 0;
  for (std::size_t i = 1; i < 5; ++i) {
    samples[i].group = 1;
  }
  samples[5].group = 2;
  CHECK(act::tasks::paragraph_shots(samples, 2, 2) == std::vector<std::size_t>{1, 3});
  CHECK(act::tasks::paragraph_shots(samples, 1, 9) == std::vector<std::size_t>{2, 3, 4});
  CHECK(act::tasks::paragraph_shots(samples, 5, 3).empty());
  CHECK(act::tasks::paragraph_shots(samples, 2, 0).empty());
}

TEST_CASE("mmlu shots are the first of the subject's development file") {
  std::vector<act::tasks::sample> development(4);
  development[0].fields["subject"] = "knots";
  development[1].fields["subject"] = "naps";
  development[2].fields["subject"] = "knots";
  development[3].fields["subject"] = "knots";
  act::tasks::sample asked;
  asked.fields["subject"] = "knots";
  CHECK(act::tasks::subject_shots(development, asked, 2) == std::vector<std::size_t>{0, 2});
  CHECK(act_test::message_of([&] { return act::tasks::subject_shots(development, asked, 4); }) ==
        "shots: subject 'knots' has 3 development samples for 4 shots; name the folder that holds its "
        "_dev.csv, or "
        "ask for fewer");
}
