// One line on stderr that says how far a long computation is, how fast it goes and when it ends. On a
// terminal it is rewritten in place; logs and pipes get a plain line now and then.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace act::report {

/// "45 s", "3:07 min" or "2:05 h": two figures are all an estimate is good for.
[[nodiscard]] std::string format_duration(double seconds);

/// "searching 120/540 22 % 3.1/s, 2:15 min left". `before` of the `done` were there already when the clock
/// started (a resumed search), so they say nothing about speed.
[[nodiscard]] std::string progress_line(const std::string& label, std::size_t done, std::size_t total,
                                        std::size_t before, double seconds);

/// How often stderr gets a line where it is no terminal, 30 seconds at first; 0: never. For the whole
/// process, to be called before there is a progress.
void set_seconds_between_lines(double seconds) noexcept;

/// Counts pieces of work and shows the line: on a terminal at most ten times a second, else as
/// set_seconds_between_lines says, the first time after that long. advance() may be called from any thread.
class progress {
 public:
  /// Silent when `quiet` is true.
  progress(std::string label, std::size_t total, bool quiet, std::size_t before = 0);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Wipes a terminal's line, so that what is printed next starts clean.
  ~progress();

  void advance(std::size_t pieces = 1) noexcept;

  /// Shows what `line(seconds since the start)` says instead of counted pieces, if it is time for that. For
  /// one thread.
  void show(const std::function<std::string(double)>& line) noexcept;

  [[nodiscard]] std::size_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

 private:
  using clock = std::chrono::steady_clock;

  std::string label_;
  std::size_t total_, before_;
  bool terminal_, shown_, printed_ = false;
  std::atomic<std::size_t> done_;
  std::mutex printing_;
  clock::duration between_;
  clock::time_point start_ = clock::now(), last_ = {};
};

}  // namespace act::report
