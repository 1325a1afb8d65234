// parallel_for: each index once, serial inside another one, thread count within its limit.
#include <act/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <vector>

TEST_CASE("each index runs once, on any number of threads") {
  for (const std::size_t threads : {1UL, 2UL, 5UL}) {
    act::set_thread_count(threads);
    for (const std::size_t count : {0UL, 1UL, 2UL, 100UL}) {
      std::vector<std::atomic<int>> runs(count);
      act::parallel_for(count, [&](std::size_t i) noexcept { ++runs[i]; });
      for (const auto& each : runs)
        CHECK(each == 1);
    }
  }
  act::set_thread_count(0);
}

TEST_CASE("nested loops run, serially") {
  act::set_thread_count(2);
  std::vector<std::atomic<int>> runs(20 * 30);
  act::parallel_for(20, [&](std::size_t outer) noexcept {
    std::size_t expected = 0;  // in order: on this thread alone
    act::parallel_for(
        30, [&](std::size_t inner) noexcept { runs[outer * 30 + inner] = inner == expected++ ? 1 : 2; });
  });
  for (const auto& each : runs)
    CHECK(each == 1);
  act::set_thread_count(0);
}

TEST_CASE("the thread count can be set and given back") {
  const std::size_t before = act::thread_count();
  CHECK(before >= 1);
#ifdef _OPENMP
  act::set_thread_count(3);
  CHECK(act::thread_count() == 3);
#endif
  act::set_thread_count(0);
  CHECK(act::thread_count() == before);
}
