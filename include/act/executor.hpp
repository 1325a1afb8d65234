// Somebody else's threads: how an engine has act's work done by its own pool. For every try_ form
// (call_context.hpp). Not a pool itself; without an executor a call runs on OpenMP's threads (parallel.hpp).
//
//   engine::pool pool(8);
//   const auto run = [&](std::size_t count, auto&& task) noexcept { pool.for_each(count, task); };
//   act::try_calibrate(map, heads, options, {.workspace = memory, .run_on = act::executor::of(run, 8)});
#pragma once

#include <act/version.hpp>

#include <cstddef>
#include <type_traits>

namespace act::inline ACT_ABI {

/// Views a pool, and owns nothing. A call hands it at most `workers` tasks, which together do all of the
/// call's work, whatever runs at the same time: one after another is right too, and results don't depend on
/// it. Plain data: units compiled with different flags may pass it to each other.
struct executor {
  /// One of a call's tasks: do(of, number).
  using task = void (*)(void* of, std::size_t number) noexcept;

  std::size_t workers =
      0;                 ///< at most so many tasks at a time; each takes memory of its own. >= 1 with `run`
  void* pool = nullptr;  ///< first argument of `run`
  /// Does each(of, 0) .. each(of, count - 1), each once, on any threads, and returns when all are done. Null:
  /// the call uses OpenMP's threads.
  void (*run)(void* pool, std::size_t count, task each, void* of) noexcept = nullptr;

  /// An executor of anything that is callable as threads(count, each), each callable with a number below
  /// count.
  /// @tparam Run callable so; must not throw
  /// @param threads not owned: has to outlive the calls
  /// @param most at most so many tasks at a time, >= 1
  /// @return the view
  template <class Run>
  [[nodiscard]] static executor of(Run& threads, std::size_t most) noexcept {
    using callable = std::remove_const_t<Run>;
    return {most, const_cast<callable*>(&threads),
            [](void* view, std::size_t count, task each, void* what) noexcept {
              (*static_cast<Run*>(view))(count, [=](std::size_t number) noexcept { each(what, number); });
            }};
  }

  /// The calling thread alone.
  /// @return an executor of one worker
  [[nodiscard]] static executor serial() noexcept {
    return {1, nullptr, [](void*, std::size_t count, task each, void* what) noexcept {
              for (std::size_t number = 0; number < count; ++number)
                each(what, number);
            }};
  }
};

}  // namespace act::inline ACT_ABI
