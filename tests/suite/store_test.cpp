// The store of results: what was saved comes back, runs are found by what their scores depend on.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/suite/store.hpp>

#include <string>
#include <vector>

#include "message_of.hpp"
#include "temporary_folder.hpp"

using act::suite::score_part;
using act::suite::store;
using act::suite::stored_run;

namespace {

const stored_run plain{.id = 0,
                       .identity = "a",
                       .cell = "c",
                       .model = "m",
                       .task = "sst2",
                       .shots = 0,
                       .shot_seed = 0,
                       .method = "plain",
                       .record = "{}"};

}  // namespace

TEST_CASE("scores come back to the bit, by run and part") {
  const act_test::temporary_folder folder;
  const std::vector<double> scores{0.1, -1e300, 3};
  {
    store results(folder / "r.sqlite");
    const std::int64_t run = results.open_run(plain, "{}", "today");
    results.save(run, score_part::scored, 7, 2, scores);
    results.save(run, score_part::labelled, 7, 1, scores);
  }
  store results = store::existing(folder / "r.sqlite");
  const std::int64_t run = results.open_run(plain, "{}", "tomorrow");
  CHECK(results.known(run, score_part::scored) == std::vector<std::size_t>{7});
  CHECK(results.known(run, score_part::domain).empty());
  CHECK(results.scores(run, score_part::scored).at(7).scores == scores);
  CHECK(results.scores(run, score_part::labelled).at(7).label == 1);
  CHECK(results.builds_of(run) == std::vector<std::string>{"{}"});
}

TEST_CASE("a run is found by its identity, one that the suite no longer has isn't current") {
  store results(":memory:");
  const std::int64_t first = results.open_run(plain, "1", "today");
  stored_run other = plain;
  other.identity = "b";
  const std::int64_t second = results.open_run(other, "1", "today");
  CHECK(first != second);
  CHECK(results.find_run("a") == first);
  CHECK(!results.find_run("z"));
  results.retire("m", "sst2", 0);
  CHECK(results.current_runs().empty());
  CHECK(results.open_run(other, "2", "today") == second);
  REQUIRE(results.current_runs().size() == 1);
  CHECK(results.current_runs().front().identity == "b");
  CHECK(results.builds_of(second) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("another program's database, a text, and a store that isn't there are refused") {
  const act_test::temporary_folder folder;
  { act::sqlite::database(folder / "theirs").execute("CREATE TABLE theirs (x)"); }
  CHECK(act_test::message_of([&] {
          store results(folder / "theirs");
        }).find("is another program's database") != std::string::npos);
  const std::string text = folder.write("text", std::string(4096, 'x'));
  CHECK(act_test::message_of([&] { store results(text); }).find("as a store of results") !=
        std::string::npos);
  CHECK(act_test::message_of([&] { (void)store::existing(folder / "none"); }).find("isn't there") !=
        std::string::npos);
}
