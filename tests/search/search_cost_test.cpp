// What a search will take is said before it starts: the rows are those that it then runs, and memory that is
// too little is refused with what is needed.
#include <doctest/doctest.h>
#include <act/error.hpp>
#include <act/search/exact_search.hpp>
#include <act/search/search_cost.hpp>
#include <act/search/state.hpp>

#include <cstddef>
#include <string>

#include "search/tiny_search.hpp"

TEST_CASE("where all samples are looked at, the work expected is the work done, to the row") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  SUBCASE("by words") {}
  SUBCASE("of some layers") {
    tiny.plan.range = {1, 2};
  }
  SUBCASE("by the likelihood of options") {
    tiny = act_test::with_options(std::move(tiny));
    tiny.plan.samples.resize(3);
  }
  SUBCASE("with many sinks") {
    tiny.plan.options.sinks.alpha = 2;
  }
  const act::search::expected_work expected = act::search::expect_work(tiny.model, tiny.plan);
  REQUIRE(expected.looked_at == tiny.plan.samples.size());
  act::search::search_state state(":memory:", tiny.plan.identity());
  const act::search::search_work done = act::search::run_exact_search(tiny.model, tiny.plan, state).work;
  CHECK(expected.trials == done.trials);
  CHECK(expected.with_sinks == doctest::Approx(static_cast<double>(done.trials - done.trials_without_sinks)));
  CHECK(expected.rows() == doctest::Approx(static_cast<double>(done.layer_rows_computed)).epsilon(1e-12));
  CHECK(expected.rows_per_second > 0);
  CHECK(expected.multiply_adds > expected.rows() * act::search::multiply_adds_of_a_row(tiny.model.config, 0));
}

TEST_CASE(
    "a ranked search's time counts estimates at their own speed, and the rest of the budget at trials'") {
  act::search::expected_work work;
  work.plain_rows = 100;
  work.trial_rows = 3000;
  work.estimate_rows = 600;
  work.rows_per_second = 10;
  work.estimate_seconds = 120;
  CHECK(work.seconds_expected() == doctest::Approx(310));
  CHECK(work.ranked_seconds_expected(0.5) == doctest::Approx(10 + 120 + 90));
  CHECK(work.ranked_seconds_expected(0.1) == doctest::Approx(10 + 120));  // estimates are made all the same

  act_test::tiny_search tiny = act_test::make_tiny_search();
  CHECK(act::search::expect_work(tiny.model, tiny.plan).estimate_seconds == 0);
  tiny.plan.estimates = true;
  const act::search::expected_work measured = act::search::expect_work(tiny.model, tiny.plan);
  CHECK(measured.estimate_seconds > 0);
  CHECK(measured.estimate_seconds != measured.estimate_rows / measured.rows_per_second);
}

TEST_CASE("who waits for the work expected can stop it after the plain pass, in trials and in estimates") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  tiny.plan.estimates = true;
  struct stopped {};
  int all = 0;
  static_cast<void>(act::search::expect_work(tiny.model, tiny.plan, [&] { ++all; }));
  CHECK(all >= 3);
  for (int last = 1; last <= all; ++last) {
    int steps = 0;
    const auto stop = [&] {
      if (++steps == last) throw stopped{};
    };
    CHECK_THROWS_AS(static_cast<void>(act::search::expect_work(tiny.model, tiny.plan, stop)), stopped);
    CHECK(steps == last);
  }
}

TEST_CASE("multiply-adds of a row are its layer's weights and the attended keys") {
  act::runtime::model_config config;
  config.hidden = 4;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_size = 3;
  config.inner = 10;
  config.gated_feed_forward = true;
  // queries and output 4 x 6 each, keys and values 4 x 3 each, three matrices of 4 x 10
  CHECK(act::search::multiply_adds_of_a_row(config, 0) == 2 * 24 + 2 * 12 + 3 * 40);
  CHECK(act::search::multiply_adds_of_a_row(config, 5) == 192 + 2 * 5 * 6);
  config.gated_feed_forward = false;
  CHECK(act::search::multiply_adds_of_a_row(config, 0) == 152);
}

TEST_CASE("less memory means fewer samples together, and too little is refused with the need") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  const std::string identity = tiny.plan.identity();
  const std::size_t chunks = tiny.plan.chunks().size();
  const std::uint64_t whole = act::search::memory_of(tiny.model, tiny.plan).sum();

  act::search::fit_memory(tiny.plan, tiny.model, whole);
  CHECK(tiny.plan.identity() == identity);  // it fits as it is

  act::search::fit_memory(tiny.plan, tiny.model, whole - 1);
  CHECK(act::search::memory_of(tiny.model, tiny.plan).sum() < whole);
  CHECK(tiny.plan.tokens_per_chunk == 512);
  CHECK(tiny.plan.identity() != identity);  // another grouping gives other last bits

  act_test::tiny_search small = act_test::make_tiny_search();
  small.plan.tokens_per_chunk = 1;
  const std::uint64_t least = act::search::memory_of(tiny.model, small.plan).sum();
  act::search::fit_memory(tiny.plan, tiny.model, least);
  CHECK(tiny.plan.chunks().size() > chunks);
  CHECK_THROWS_WITH_AS(act::search::fit_memory(tiny.plan, tiny.model, least - 1, "--memory"),
                       doctest::Contains("is too little: with one sample at a time"), act::error);
}

TEST_CASE("searches in smaller pieces say the same within rounding") {
  act_test::tiny_search tiny = act_test::make_tiny_search();
  const auto searched = [&] {
    act::search::search_state state(":memory:", tiny.plan.identity());
    return act::search::run_exact_search(tiny.model, tiny.plan, state);
  };
  const act::search::search_outcome together = searched();
  tiny.plan.tokens_per_chunk = 1;
  const act::search::search_outcome alone = searched();
  CHECK(alone.work == together.work);
  for (std::size_t i = 0; i < alone.evidence.size(); ++i) {
    CHECK(alone.evidence[i].net() == together.evidence[i].net());
    CHECK(alone.evidence[i].log_likelihood_gain ==
          doctest::Approx(together.evidence[i].log_likelihood_gain).epsilon(1e-3));
  }
}

TEST_CASE("sizes of memory are read") {
  CHECK(act::search::parse_bytes("4096") == 4096);
  CHECK(act::search::parse_bytes("512M") == std::uint64_t{512} << 20);
  CHECK(act::search::parse_bytes("1.5G") == std::uint64_t{3} << 29);
  CHECK(act::search::parse_bytes("2K") == 2048);
  CHECK(act::search::parse_bytes("1T") == std::uint64_t{1} << 40);
  for (const char* wrong : {"", "G", "4GB", "-1", "0", "nan", "inf", "1e30", "4 G", "0x10", "4g"})
    CHECK_THROWS_WITH_AS((void)act::search::parse_bytes(wrong, "--memory"), doctest::Contains("isn't a size"),
                         act::error);
}
