// The portable choice of samples, against the golden lists of an independent script.
#include "golden_prompts.hpp"
#include "message_of.hpp"

#include <act/runtime/splitmix64.hpp>
#include <act/tasks/selection.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

TEST_CASE("splitmix64 gives the reference stream") {
  act::runtime::splitmix64 draw(0);
  CHECK(draw() == 0xE220A8397B1DCDAFULL);
  CHECK(draw() == 0x6E789E6AA1B965F4ULL);
  CHECK(draw() == 0x06C45D188009454FULL);
}

TEST_CASE("selections equal the golden ones") {
  CHECK(act::tasks::select(10, 4, 42) == std::vector<std::size_t>{3, 2, 4, 5});
  for (const auto& golden :
       nlohmann::json::parse(act::io::read_text_file(act_test::golden_tasks() / "selection.json").text)) {
    CHECK(act::tasks::select(golden.at("n"), golden.at("k"), golden.at("seed").get<std::uint64_t>()) ==
          golden.at("selected").get<std::vector<std::size_t>>());
  }
}

TEST_CASE("a selection has no repeats and opens every longer one of the same seed") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto whole = act::tasks::select(50, 50, seed);
    CHECK(std::set<std::size_t>(whole.begin(), whole.end()).size() == 50);
    const auto part = act::tasks::select(50, 7, seed);
    CHECK(std::equal(part.begin(), part.end(), whole.begin()));
  }
  CHECK(act::tasks::select(0, 0, 1).empty());
  CHECK(act_test::message_of([] { return act::tasks::select(3, 4, 0); }) ==
        "selection: can't choose 4 of 3 samples; ask for fewer");
}

TEST_CASE("a limit keeps the file's order, and none takes everything") {
  CHECK(act::tasks::select_limited(10, 4, 42) == std::vector<std::size_t>{2, 3, 4, 5});
  const std::vector<std::size_t> everything = {0, 1, 2};
  CHECK(act::tasks::select_limited(3, 0, 42) == everything);
  CHECK(act::tasks::select_limited(3, -5, 42) == everything);
  CHECK(act::tasks::select_limited(3, 3, 42) == everything);
  CHECK(act::tasks::select_limited(3, INT64_MAX, 42) == everything);
}
