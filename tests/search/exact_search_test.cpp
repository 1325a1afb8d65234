// A search that is interrupted and resumed must end as one that ran through.
#include <doctest/doctest.h>
#include <act/search/exact_search.hpp>
#include <act/search/state.hpp>
#include <act/search/stored_trials.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "sanitized.hpp"
#include "search/tiny_search.hpp"
#include "temporary_folder.hpp"

namespace {

struct interruption : std::runtime_error {
  interruption() : std::runtime_error("interrupted") {}
};

act::search::search_outcome run(const act_test::tiny_search& tiny, const std::filesystem::path& file,
                                const act::search::search_progress& progress = {}) {
  act::search::search_state state(file, tiny.plan.identity());
  return act::search::run_exact_search(tiny.model, tiny.plan, state, progress);
}

void check_same(const act::search::search_outcome& a, const act::search::search_outcome& b) {
  CHECK(a.samples == b.samples);
  CHECK(a.plain_correct == b.plain_correct);
  CHECK(a.work == b.work);
  REQUIRE(a.evidence.size() == b.evidence.size());
  for (std::size_t i = 0; i < a.evidence.size(); ++i) {
    CHECK(a.evidence[i].gained == b.evidence[i].gained);
    CHECK(a.evidence[i].lost == b.evidence[i].lost);
    CHECK(a.evidence[i].with_sinks == b.evidence[i].with_sinks);
    CHECK(a.evidence[i].log_likelihood_gain == b.evidence[i].log_likelihood_gain);  // to the bit
  }
}

// Many samples, so that there are several chunks.
act_test::tiny_search repeated(std::size_t times) {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  const auto samples = tiny.plan.samples;
  for (std::size_t i = 1; i < times; ++i) {
    for (auto sample : samples) {
      for (auto& token : sample.prompt)
        token = static_cast<act::runtime::token_id>((token + static_cast<int>(7 * i)) % 250);
      sample.index = tiny.plan.samples.size();
      tiny.plan.samples.push_back(sample);
    }
  }
  return tiny;
}

}  // namespace

TEST_CASE("a search that was interrupted at any batch ends like one that wasn't") {
  act_test::tiny_search tiny = repeated(12);
  SUBCASE("by words") {}
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(repeated(4));
  }
  SUBCASE("by the greedy token") {
    tiny = act_test::with_greedy_tokens(repeated(12));
  }
  REQUIRE(tiny.plan.chunks().size() > 1);
  std::size_t batches = 0;
  const act::search::search_outcome whole = run(tiny, ":memory:", [&](const auto&) { ++batches; });
  REQUIRE(batches > 6);

  const std::size_t stops = act_test::sanitized ? 2 : 5;  // at most; each costs two searches
  for (std::size_t stop = 1; stop < batches; stop += batches / stops + 1) {
    CAPTURE(stop);
    const act_test::temporary_folder kept;
    std::size_t seen = 0;
    CHECK_THROWS_AS(run(tiny, kept / "state",
                        [&](const auto&) {
                          if (++seen == stop) throw interruption();
                        }),
                    interruption);
    check_same(run(tiny, kept / "state"), whole);
    check_same(run(tiny, kept / "state"), whole);  // everything stored: nothing left to compute
  }
}

TEST_CASE("of two searches on one state the first to store goes on, the other ends and loses nothing") {
  const act_test::tiny_search tiny = repeated(12);
  const act::search::search_outcome whole = run(tiny, ":memory:");
  const act_test::temporary_folder kept;
  std::size_t seen = 0;
  act::search::search_outcome second;
  // The second is started in the midst of the first, and is the next to store.
  CHECK_THROWS_WITH_AS(run(tiny, kept / "state",
                           [&](const auto&) {
                             if (++seen == 5) second = run(tiny, kept / "state");
                           }),
                       doctest::Contains("is written by another process, too"), act::error);
  check_same(second, whole);
  check_same(run(tiny, kept / "state"), whole);
}

TEST_CASE("a state that others read and merge meanwhile is still one search's") {
  const act_test::tiny_search tiny = repeated(3);
  const act_test::temporary_folder kept;
  std::size_t seen = 0;
  const act::search::search_outcome read = run(tiny, kept / "state", [&](const auto&) {
    const act::search::stored_trials reused(kept / "state", tiny.plan);
    act::search::search_state merged(kept / "state", tiny.plan.identity());
    if (merged.total_work().trials > 0) ++seen;
  });
  CHECK(seen > 0);
  check_same(read, run(tiny, ":memory:"));
}

TEST_CASE("progress grows to 1") {
  act_test::tiny_search tiny = repeated(3);
  SUBCASE("by words") {}
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  double last = 0;
  run(tiny, ":memory:", [&](const act::search::search_advance& at) {
    CHECK(at.part >= last);
    last = at.part;
  });
  CHECK(last == doctest::Approx(1.0));
}

TEST_CASE("the state of another search is refused with what differs") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act_test::temporary_folder kept;
  run(tiny, kept / "state");
  const auto refused = [&](const std::string& names,
                           const std::function<void(act::search::search_plan&)>& change) {
    act_test::tiny_search other = act_test::make_tiny_search();
    change(other.plan);
    CHECK_THROWS_WITH_AS(run(other, kept / "state"), doctest::Contains(names.c_str()), act::error);
  };
  refused("it has 'beta 0.40000000000000002', this one 'beta 0.5'",
          [](auto& plan) { plan.options.beta = 0.5; });
  refused("rule absolute", [](auto& plan) { plan.options.sinks.rule = act::sink_rule::absolute; });
  refused("alpha 6", [](auto& plan) { plan.options.sinks.alpha = 6; });
  refused("tau", [](auto& plan) { plan.options.sinks.tau = 0.2; });
  refused("min-visible-rows 2", [](auto& plan) { plan.options.sinks.min_visible_rows = 2; });
  refused("redistribution uniform",
          [](auto& plan) { plan.options.redistribute = act::redistribution::uniform; });
  refused("theta", [](auto& plan) { plan.options.theta = 2; });
  refused("compatibility authors", [](auto& plan) { plan.options.behave_as = act::compatibility::authors; });
  refused("it has 'beta 0.40000000000000002', this one 'betas 0.40000000000000002 0.69999999999999996'",
          [](auto& plan) {
            plan.strengths = {0.4, 0.7};
          });
  refused("layers 1:", [](auto& plan) { plan.range.first = 1; });
  refused("strategy ranked", [](auto& plan) { plan.strategy = "ranked"; });
  refused("tokens run together 64", [](auto& plan) { plan.tokens_per_chunk = 64; });
  refused("model other", [](auto& plan) { plan.fingerprint = "other"; });
  refused("sample", [](auto& plan) { plan.samples[1].words[0] = 9; });
  refused("sample", [](auto& plan) { plan.samples[1].prompt[0] += 1; });
}

TEST_CASE("the state of another version is refused, and left as it was") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act_test::temporary_folder kept;
  run(tiny, kept / "state");
  for (const char* format : {"2", "4"}) {
    {
      act::sqlite::database data(kept / "state");
      data.execute("UPDATE search SET format = " + std::string(format));
    }
    const std::string says =
        "has the format " + std::string(format) + " of another version of act, this one's is 3";
    CHECK_THROWS_WITH_AS(run(tiny, kept / "state"), doctest::Contains(says.c_str()), act::error);
    act::sqlite::database data(kept / "state");
    act::sqlite::statement trials(data, "SELECT COUNT(*) FROM trial");
    REQUIRE(trials.step());
    CHECK(trials.integer(0) == static_cast<std::int64_t>(tiny.plan.samples.size() * tiny.plan.range.count() *
                                                         tiny.model.config.heads));
  }
}

TEST_CASE("the state of a search by other options, or by another scoring, is refused") {
  const act_test::tiny_search tiny = act_test::with_options(act_test::make_tiny_search());
  const act_test::temporary_folder kept;
  run(tiny, kept / "state");
  const auto refused = [&](const std::string& names,
                           const std::function<void(act::search::search_plan&)>& change) {
    act_test::tiny_search other = act_test::with_options(act_test::make_tiny_search());
    change(other.plan);
    CHECK_THROWS_WITH_AS(run(other, kept / "state"), doctest::Contains(names.c_str()), act::error);
  };
  refused("sample", [](auto& plan) { plan.samples[1].options[0].tokens.back() += 1; });
  refused("sample", [](auto& plan) { plan.samples[1].options[0].first_scored -= 1; });
  refused("sample", [](auto& plan) { plan.samples[1].options.pop_back(); });
  refused("sample", [](auto& plan) { plan.samples[1].option_bytes[0] += 1; });
  refused("sample", [](auto& plan) { plan.samples[1].greedy_tokens = {{1}, {2}}; });
  refused("scored by letters", [](auto& plan) { plan.sources[0].scoring = "letters"; });
}

TEST_CASE("the state of a search that gives to another part of the prompts is refused") {
  for (const bool options : {false, true}) {
    const auto made = [&] {
      act_test::tiny_search tiny = act_test::make_tiny_search();
      return act_test::with_subsets(options ? act_test::with_options(std::move(tiny)) : std::move(tiny));
    };
    const act_test::tiny_search tiny = made();
    const act_test::temporary_folder kept;
    check_same(run(tiny, kept / "state"), run(tiny, kept / "state"));
    const auto refused = [&](const std::string& names,
                             const std::function<void(act::search::search_plan&)>& change) {
      act_test::tiny_search other = made();
      change(other.plan);
      CHECK_THROWS_WITH_AS(run(other, kept / "state"), doctest::Contains(names.c_str()), act::error);
    };
    refused("it has 'redistribution subset question', this one 'redistribution subset choices'",
            [](auto& plan) { plan.subset = act::tasks::prompt_part::choices; });
    refused("redistribution proportional", [](auto& plan) {
      plan.options.redistribute = act::redistribution::proportional;
      plan.subset.reset();
    });
    refused("sample", [&](auto& plan) {
      (options ? plan.samples[1].option_subsets[0] : plan.samples[1].subset).pop_back();
    });
  }
}

TEST_CASE("a search that gives to a subset needs each sample's") {
  act_test::tiny_search tiny = act_test::with_subsets(act_test::make_tiny_search());
  tiny.plan.samples[1].subset.clear();
  CHECK_THROWS_WITH_AS(run(tiny, ":memory:"), doctest::Contains("subset: needs the positions"), act::error);
}

TEST_CASE("a file that isn't a state is refused, and left as it was") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act_test::temporary_folder kept;
  std::ofstream(kept / "state") << "sentence\tlabel\na file of somebody's that must survive this\t1\n"
                                << std::string(4096, 'x');
  const auto size = std::filesystem::file_size(kept / "state");
  CHECK_THROWS_AS(run(tiny, kept / "state"), act::error);
  CHECK(std::filesystem::file_size(kept / "state") == size);
}

TEST_CASE("another program's database is refused, and left as it was") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act_test::temporary_folder kept;
  {
    act::sqlite::database theirs(kept / "state");
    theirs.execute("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('mine')");
  }
  CHECK_THROWS_WITH_AS(run(tiny, kept / "state"), doctest::Contains("another program's"), act::error);
  act::sqlite::database theirs(kept / "state");
  act::sqlite::statement tables(theirs, "SELECT COUNT(*) FROM sqlite_master");
  REQUIRE(tables.step());
  CHECK(tables.integer(0) == 1);
}

TEST_CASE("a state whose scores are damaged is refused, never computed with") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  SUBCASE("by words") {}
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
  }
  const act_test::temporary_folder kept;
  run(tiny, kept / "whole");
  for (const char* damage :
       {"UPDATE trial SET scores = x''", "UPDATE trial SET scores = x'0000000000000000'",
        "UPDATE plain SET scores = x'0000000000000000'", "UPDATE plain SET scores = NULL",
        "UPDATE plain SET scores = x'000000000000F87F000000000000F87F000000000000F87F'",
        "DELETE FROM plain WHERE sample = 0", "UPDATE trial SET head = 20 WHERE head = 7",
        "UPDATE trial SET initial_mass = -0.5", "UPDATE trial SET initial_mass = 1.5",
        "UPDATE trial SET strength = 1",
        "INSERT INTO trial SELECT sample, layer, strength, head + 100, has_sinks, 0.5, scores FROM trial"}) {
    CAPTURE(damage);
    std::filesystem::copy_file(kept / "whole", kept / "state",
                               std::filesystem::copy_options::overwrite_existing);
    {
      act::sqlite::database data(kept / "state");
      data.execute(damage);
    }
    CHECK_THROWS_AS(run(tiny, kept / "state"), act::error);
  }
}

TEST_CASE("a state that lost trials is refused") {
  const act_test::tiny_search tiny = act_test::make_tiny_search();
  const act_test::temporary_folder kept;
  run(tiny, kept / "state");
  {
    act::sqlite::database data(kept / "state");
    data.execute("DELETE FROM trial WHERE sample = 1 AND head = 0");
  }
  CHECK_THROWS_AS(run(tiny, kept / "state"), act::error);
}
