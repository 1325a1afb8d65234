// parallel_for: each index once, serial inside another one, thread count within its limit, one set of workers
// for all callers.
#include <act/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <thread>
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

// Engines call from threads of their own: the core's threads must not multiply.
TEST_CASE("threads that call at once share the workers") {
#ifdef _OPENMP
  constexpr std::size_t limit = 3, callers = 4, calls = 20, bodies = 40;
  act::set_thread_count(limit);
  std::atomic<std::size_t> now{0}, most{0}, done{0}, largest_worker{0};
  const auto raise_to = [](std::atomic<std::size_t>& most_of, std::size_t value) {
    std::size_t seen = most_of;
    while (seen < value && !most_of.compare_exchange_weak(seen, value)) {
    }
  };
  std::latch start(callers);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < callers; ++t) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (std::size_t call = 0; call < calls; ++call) {
        act::parallel_for(bodies, [&](std::size_t, std::size_t worker) noexcept {
          raise_to(most, ++now);
          raise_to(largest_worker, worker);
          std::this_thread::sleep_for(std::chrono::microseconds(50));
          --now;
          ++done;
        });
      }
    });
  }
  for (std::thread& each : threads)
    each.join();
  const std::size_t most_bodies = most, bodies_done = done, last_worker = largest_worker;
  MESSAGE(callers << " callers, " << limit << " threads: at most " << most_bodies << " bodies at once");
  CHECK(bodies_done == callers * calls * bodies);
  CHECK(most_bodies <= limit + callers - 1);
  CHECK(most_bodies > callers);  // the workers were used
  CHECK(last_worker < limit);
  CHECK(act::workers::extra.load() == 0);
  act::set_thread_count(0);
#else
  MESSAGE("[skipped] no OpenMP");
#endif
}
