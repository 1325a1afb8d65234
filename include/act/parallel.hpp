// The one place that knows OpenMP: independent pieces of work over the machine's cores.
// For the library's own loops and for engines that want the same threads. Not a task system: no futures, no
// nesting.
#pragma once

#include <act/detail/build.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <type_traits>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace act::inline ACT_ABI::workers {

// One of each for all units of a program or shared library, whatever flags they have; hidden, because as
// symbols of the whole process they would join the limits of all plug-ins and keep these from being unloaded.
#if defined(__GNUC__)
#define ACT_DETAIL_HIDDEN [[gnu::visibility("hidden")]]
#else
#define ACT_DETAIL_HIDDEN
#endif
ACT_DETAIL_HIDDEN inline constinit std::atomic<int> limit{0};  // 0: as many as OpenMP offers
ACT_DETAIL_HIDDEN inline constinit std::atomic<int> extra{0};  // at work beside the threads that call

}  // namespace act::inline ACT_ABI::workers

namespace act::inline ACT_ABI::inline ACT_BUILD {

/// Limits every later parallel_for of this program or shared library to `count` threads; 0 returns to the
/// default (all cores, or OMP_NUM_THREADS).
/// @param count threads; 0: the default
inline void set_thread_count(std::size_t count) noexcept {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  workers::limit.store(static_cast<int>(std::min(count, most)));
}

/// @return how many threads the next parallel_for may use; 1 without OpenMP
[[nodiscard]] inline std::size_t thread_count() noexcept {
#ifdef _OPENMP
  const int limit = workers::limit.load();
  return static_cast<std::size_t>(limit > 0 ? limit : omp_get_max_threads());
#else
  return 1;
#endif
}

namespace detail {

/// Threads that a call works with beside its own, from a number that all calls share: however many threads
/// call at once, thread_count() + callers - 1 work at most. A call that gets none works alone. Lock-free.
class extra_workers {
 public:
  extra_workers(std::size_t wanted, std::size_t most) noexcept {
    int taken = workers::extra.load();
    do {
      count_ = std::min(static_cast<int>(wanted), static_cast<int>(most) - taken);
      if (count_ <= 0) {
        count_ = 0;
        return;
      }
    } while (!workers::extra.compare_exchange_weak(taken, taken + count_));
  }
  ~extra_workers() {
    if (count_ > 0) workers::extra.fetch_sub(count_);
  }
  extra_workers(const extra_workers&) = delete;
  extra_workers& operator=(const extra_workers&) = delete;

  [[nodiscard]] int count() const noexcept { return count_; }

 private:
  int count_ = 0;
};

}  // namespace detail

/// Calls body(0) .. body(count - 1), each once, in any order, on several threads. The body must be noexcept:
/// nothing can be thrown across threads. Called from inside a parallel region it runs serially on the calling
/// thread. Several threads may call at once: they share thread_count() - 1 workers beside themselves. Which
/// thread runs an index, and how many there are, is not specified, so results must not depend on it. A body
/// of two parameters also gets the number of its worker, < thread_count(): memory set aside for each worker
/// of a call is then never shared.
/// @tparam Body callable with an index, or an index and a worker; noexcept
/// @param count how many indices
/// @param body called once with each index, 0 .. count - 1
template <class Body>
requires(
    std::is_nothrow_invocable_v<Body&, std::size_t> ||
    std::is_nothrow_invocable_v<Body&, std::size_t, std::size_t>) void parallel_for(std::size_t count,
                                                                                    Body&& body) noexcept {
  const auto call = [&body](std::size_t i, [[maybe_unused]] std::size_t worker) noexcept {
    if constexpr (std::is_invocable_v<Body&, std::size_t, std::size_t>) {
      body(i, worker);
    } else {
      body(i);
    }
  };
#ifdef _OPENMP
  const std::size_t most = thread_count(), threads = std::min(count, most);
  if (threads > 1 && !omp_in_parallel()) {
    const detail::extra_workers extra(threads - 1, most - 1);
    if (extra.count() > 0) {
#pragma omp parallel for schedule(dynamic) num_threads(extra.count() + 1)
      for (std::size_t i = 0; i < count; ++i)
        call(i, static_cast<std::size_t>(omp_get_thread_num()));
      return;
    }
  }
#endif
  for (std::size_t i = 0; i < count; ++i)
    call(i, 0);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
