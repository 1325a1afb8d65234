// The state of scores: what was saved comes back, and nothing that isn't what it was saved as.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/sqlite/database.hpp>
#include <act/tasks/stored/score_state.hpp>

#include <limits>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "temporary_folder.hpp"

using act::tasks::score_state;

namespace {

const score_state::origin ours{{"model", "m"}, {"revision", "r"}};

}  // namespace

TEST_CASE("scores come back to the bit, by pass and sample, in the next process too") {
  const act_test::temporary_folder folder;
  const std::vector<double> first{0.1, -1e300, 3}, second{4, 5, std::numeric_limits<double>::denorm_min()};
  {
    score_state state(folder / "state", ours);
    CHECK(!state.find("plain", "a", 3));
    state.save(std::vector<score_state::row>{
        {"plain", "a", second}, {"plain", "b", second}, {"heads 1.0", "a", second}});
    state.save(std::vector<score_state::row>{{"plain", "a", first}});  // instead
    state.save({});
  }
  score_state state(folder / "state", ours);
  CHECK(state.find("plain", "a", 3) == first);
  CHECK(state.find("plain", "b", 3) == second);
  CHECK(state.find("heads 1.0", "a", 3) == second);
  CHECK(!state.find("heads 1.0", "b", 3));
  CHECK(!state.find("heads 1.1", "a", 3));
  CHECK(!state.find("", "", 3));
}

TEST_CASE("a state says whose it is, and what of it is damaged") {
  const act_test::temporary_folder folder;
  const std::string path = folder / "state";
  const std::string damaged =
      path +
      ": is damaged: its scores aren't those of its samples; delete it to start again, "
      "or choose another state file";
  {
    const std::vector<double> two{1, 2}, no_number{1, std::numeric_limits<double>::quiet_NaN()};
    score_state state(path, ours);
    state.save(std::vector<score_state::row>{{"plain", "a", two}});
    CHECK(act_test::message_of([&] { (void)state.find("plain", "a", 3); }) == damaged);
    state.save(std::vector<score_state::row>{{"plain", "a", no_number}});
    CHECK(act_test::message_of([&] { (void)state.find("plain", "a", 2); }) == damaged);
  }
  const auto refusal = [&](const score_state::origin& of) {
    return act_test::message_of([&] { score_state(path, of, "--state"); });
  };
  CHECK(refusal({{"model", "m"}, {"revision", "s"}}) ==
        path +
            ": has the scores of another revision, 'r', and this one is 's'; choose another --state file, or "
            "delete it to start again");
  CHECK(refusal({{"model", "m"}, {"compiler", "s"}}).find("is damaged") != std::string::npos);
  act::sqlite::database(path).execute("PRAGMA user_version = 2");
  CHECK(refusal(ours) == path +
                             ": has the format 2 of another version of act, this one's is 1; choose another "
                             "--state file");
}

TEST_CASE("two that find a file new make one state of it") {
  const act_test::temporary_folder folder;
  score_state one(folder / "state", ours), other(folder / "state", ours);
  const std::vector<double> first{1}, second{2};
  one.save(std::vector<score_state::row>{{"plain", "a", first}});
  other.save(std::vector<score_state::row>{{"plain", "b", second}});
  CHECK(one.find("plain", "b", 1) == second);
  CHECK(other.find("plain", "a", 1) == first);
}
