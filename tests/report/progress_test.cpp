// Durations and the progress line. Where stderr is no terminal: tests/examples/usage_test.cpp.
#include <act/parallel.hpp>
#include <act/report/progress.hpp>

#include <doctest/doctest.h>

#include <limits>

TEST_CASE("durations") {
  CHECK(act::report::format_duration(0) == "0 s");
  CHECK(act::report::format_duration(59.4) == "59 s");
  CHECK(act::report::format_duration(59.6) == "1:00 min");
  CHECK(act::report::format_duration(187) == "3:07 min");
  CHECK(act::report::format_duration(7500) == "2:05 h");
  CHECK(act::report::format_duration(-1) == "0 s");
  CHECK(act::report::format_duration(std::numeric_limits<double>::quiet_NaN()) == "0 s");
  CHECK(act::report::format_duration(1e300) == "1000000:00 h");
}

TEST_CASE("the line says how far, how fast, how long") {
  CHECK(act::report::progress_line("trials", 0, 540, 0, 0) == "trials 0/540 0 %");
  CHECK(act::report::progress_line("trials", 120, 540, 0, 40) == "trials 120/540 22 % 3/s, 2:20 min left");
  CHECK(act::report::progress_line("trials", 120, 540, 100, 40) ==
        "trials 120/540 22 % 0.5/s, 14:00 min left");
  CHECK(act::report::progress_line("trials", 540, 540, 0, 10) == "trials 540/540 100 % 54/s");
  CHECK(act::report::progress_line("none", 0, 0, 0, 1) == "none 0/0 100 %");
}

TEST_CASE("work is counted from any thread") {
  act::report::progress shown("test", 1000, true, 10);
  act::parallel_for(990, [&](std::size_t) noexcept { shown.advance(); });
  CHECK(shown.done() == 1000);
}
