// The store of results: what was saved comes back, runs are found by what their scores depend on.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/suite/store.hpp>

#include <filesystem>
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
    const std::int64_t run = results.open_run(results.open_suite("s.toml", ""), plain, "{}", "today");
    results.save(run, score_part::scored, 7, 2, scores);
    results.save(run, score_part::labelled, 7, 1, scores);
  }
  store results = store::existing(folder / "r.sqlite");
  const std::int64_t run = results.open_run(results.open_suite("s.toml", ""), plain, "{}", "tomorrow");
  CHECK(results.known(run, score_part::scored) == std::vector<std::size_t>{7});
  CHECK(results.known(run, score_part::domain).empty());
  CHECK(results.scores(run, score_part::scored).at(7).scores == scores);
  CHECK(results.scores(run, score_part::labelled).at(7).label == 1);
  CHECK(results.builds_of(run) == std::vector<std::string>{"{}"});
}

TEST_CASE("a run is found by its identity, and is of those suites that opened it last") {
  store results(":memory:");
  const std::int64_t suite = results.open_suite("s.toml", "");
  const std::int64_t first = results.open_run(suite, plain, "1", "today");
  stored_run other = plain;
  other.identity = "b";
  const std::int64_t second = results.open_run(suite, other, "1", "today");
  CHECK(first != second);
  CHECK(results.find_run("a") == first);
  CHECK(!results.find_run("z"));
  const std::int64_t another = results.open_suite("s.toml", "beta");
  CHECK(results.open_run(another, plain, "1", "today") == first);
  results.retire(suite, "m", "sst2", 0);
  CHECK(results.runs_of(suite).empty());
  CHECK(results.open_run(suite, other, "2", "today") == second);
  REQUIRE(results.runs_of(suite).size() == 1);
  CHECK(results.runs_of(suite).front().identity == "b");
  CHECK(results.builds_of(second) == std::vector<std::string>{"1", "2"});
  CHECK(results.open_run(suite, plain, "2", "today") == first);
  REQUIRE(results.runs_of(suite).size() == 2);  // in the order of the last time
  CHECK(results.runs_of(suite).front().identity == "b");
  REQUIRE(results.runs_of(another).size() == 1);  // the other suite's are its own
  CHECK(results.runs_of(another).front().identity == "a");
}

TEST_CASE("the suite that was opened last comes first, by its absolute path") {
  store results(":memory:");
  const std::int64_t first = results.open_suite("a/../s.toml", "");
  const std::int64_t second = results.open_suite("s.toml", "beta");
  CHECK(first != second);
  CHECK(results.suites().front().id == second);
  CHECK(results.open_suite("s.toml", "") == first);
  const std::vector<act::suite::stored_suite> all = results.suites();
  REQUIRE(all.size() == 2);
  CHECK(all[0].path == (std::filesystem::current_path() / "s.toml").string());
  CHECK(all[0].name() == all[0].path);
  CHECK(all[1].name() == all[1].path + ", ablation beta");
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
