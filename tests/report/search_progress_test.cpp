// What a search says of itself while it runs.
#include <doctest/doctest.h>
#include <act/report/search_progress.hpp>
#include <act/search/search_run.hpp>
#include <act/search/trial_table.hpp>

#include <cstddef>
#include <vector>

namespace {

// Head h of layer 4 makes the right one of two answers likelier by about h - 1 on every sample.
act::search::trial_table tried_table(std::size_t samples) {
  act::search::trial_table table({{4, 0}, {4, 1}, {4, 2}, {4, 3}, {4, 4}},
                                 std::vector<act::search::table_sample>(samples, {0, 2, 0}));
  for (std::size_t sample = 0; sample < samples; ++sample) {
    table.set_plain(sample, std::vector<double>{0, 40});
    for (std::size_t head = 0; head < 4; ++head)
      table.set_trial(head, sample, std::vector<double>{static_cast<double>(head) - 1, 40}, true);
  }
  table.set_trial(4, 0, std::vector<double>{30, 40}, true);  // lucky once
  return table;
}

}  // namespace

TEST_CASE("the best heads so far are those that gain, of those that were tried enough") {
  const act::search::trial_table table = tried_table(10);
  CHECK(act::report::best_heads_so_far(table) == "4.3 +2.000, 4.2 +1.000");
  CHECK(act::report::best_heads_so_far(act::search::trial_table()).empty());
}

TEST_CASE("a search's progress says how far, how fast, how long and which heads") {
  const act::search::trial_table table = tried_table(10);
  act::report::search_progress_line line;
  const act::search::search_advance at{
      .part = 0.25, .computed = 100, .left = 300, .trials = 620, .results = table};
  CHECK(line.at(at, 2.0) == "searching 25 %, 310 trials/s, 6 s left; best 4.3 +2.000, 4.2 +1.000");
  const act::search::trial_table nothing;
  const act::search::search_advance resumed{
      .part = 0.5, .computed = 0, .left = 300, .trials = 0, .results = nothing};
  CHECK(act::report::search_progress_line().at(resumed, 1.0) == "searching 50 %");
  const act::search::search_advance over{
      .part = 1, .computed = 300, .left = 0, .trials = 30, .results = nothing};
  CHECK(act::report::search_progress_line().at(over, 10.0) == "searching 100 %, 3 trials/s");
}
