// A call's work on whichever threads it was given.
#pragma once

#include <act/detail/build.hpp>
#include <act/executor.hpp>
#include <act/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI::inline ACT_BUILD::detail {

/// On how many workers `jobs` jobs run: one where they are too small to wake others, or there are no others.
[[nodiscard]] inline std::size_t workers_for(const executor& on, std::size_t jobs, bool small) noexcept {
  if (small) return 1;
  const std::size_t most = on.run != nullptr ? on.workers : thread_count();
  return std::max<std::size_t>(1, std::min(jobs, most));
}

/// work(0) .. work(workers - 1), each once.
template <class Work>
requires std::is_nothrow_invocable_v<Work&, std::size_t>
void run_workers(const executor& on, std::size_t workers, Work&& work) noexcept {
  if (workers == 1) return work(0);
  if (on.run == nullptr) return parallel_for(workers, work);
  on.run(
      on.pool, workers,
      [](void* of, std::size_t number) noexcept {
        (*static_cast<std::remove_reference_t<Work>*>(of))(number);
      },
      &work);
}

/// Calls use(worker, packed, job) for every job; `packed` goes with the worker.
template <class Packed, class Use>
void for_each_job(const executor& on, std::size_t workers, std::size_t jobs, Use&& use) noexcept {
  if (workers == 1) {
    Packed packed;
    for (std::size_t job = 0; job < jobs; ++job)
      use(std::size_t{0}, packed, job);
    return;
  }
  std::atomic<std::size_t> next{0};
  run_workers(on, workers, [&](std::size_t worker) noexcept {
    Packed packed;
    for (std::size_t job = next++; job < jobs; job = next++)
      use(worker, packed, job);
  });
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD::detail
