// The one place that knows OpenMP: independent pieces of work over the machine's cores.
// For the library's own loops and for engines that want the same threads. Not a task system: no futures, no
// nesting.
#pragma once

#include <act/version.hpp>

#include <atomic>
#include <cstddef>
#include <type_traits>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace act::inline ACT_ABI {

namespace detail {
inline std::atomic<int> requested_threads{0};  // 0: as many as OpenMP offers

#ifdef _OPENMP
inline constexpr bool has_openmp = true;
#else
inline constexpr bool has_openmp = false;
#endif
}  // namespace detail

/// Limits every later parallel_for to `count` threads; 0 returns to the default (all cores, or
/// OMP_NUM_THREADS).
inline void set_thread_count(std::size_t count) noexcept {
  detail::requested_threads.store(static_cast<int>(count));
}

/// Threads that the next parallel_for may use; 1 without OpenMP.
[[nodiscard]] inline std::size_t thread_count() noexcept {
#ifdef _OPENMP
  const int requested = detail::requested_threads.load();
  return static_cast<std::size_t>(requested > 0 ? requested : omp_get_max_threads());
#else
  return 1;
#endif
}

/// Calls body(0) .. body(count - 1), each once, in any order, on several threads. The body must be noexcept:
/// nothing can be thrown across threads. Called from inside a parallel region it runs serially on the calling
/// thread. Which thread runs an index is not specified, so results must not depend on it. A body of two
/// parameters also gets the number of its worker, < thread_count(): memory set aside for each worker is then
/// never shared. The last parameter keeps translation units with and without OpenMP apart.
template <class Body, bool Threaded = detail::has_openmp>
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
  if constexpr (Threaded) {
    const std::size_t threads = count < thread_count() ? count : thread_count();
    if (threads > 1 && !omp_in_parallel()) {
#pragma omp parallel for schedule(dynamic) num_threads(static_cast <int>(threads))
      for (std::size_t i = 0; i < count; ++i)
        call(i, static_cast<std::size_t>(omp_get_thread_num()));
      return;
    }
  }
#endif
  for (std::size_t i = 0; i < count; ++i)
    call(i, 0);
}

}  // namespace act::inline ACT_ABI
