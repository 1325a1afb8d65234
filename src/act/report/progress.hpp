// One line on stderr that says how far a long computation is, how fast it goes and when it ends. Only on a
// terminal: logs and pipes never see it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

namespace act::report {

/// "45 s", "3:07 min" or "2:05 h": two figures are all an estimate is good for.
[[nodiscard]] inline std::string format_duration(double seconds) {
  char text[32];
  const double whole = std::isfinite(seconds) ? std::round(std::min(std::max(seconds, 0.0), 3.6e9)) : 0;
  const auto count = static_cast<unsigned long long>(whole);
  if (count < 60) {
    std::snprintf(text, sizeof text, "%llu s", count);
  } else if (count < 3600) {
    std::snprintf(text, sizeof text, "%llu:%02llu min", count / 60, count % 60);
  } else {
    std::snprintf(text, sizeof text, "%llu:%02llu h", count / 3600, count / 60 % 60);
  }
  return text;
}

/// "searching 120/540 22 % 3.1/s, 2:15 min left". `before` of the `done` were there already when the clock
/// started (a resumed search), so they say nothing about speed.
[[nodiscard]] inline std::string progress_line(const std::string& label, std::size_t done, std::size_t total,
                                               std::size_t before, double seconds) {
  char text[96];
  const double share = total == 0 ? 100.0 : 100.0 * static_cast<double>(done) / static_cast<double>(total);
  std::snprintf(text, sizeof text, " %zu/%zu %.0f %%", done, total, share);
  std::string line = label + text;
  if (done > before && seconds > 0) {
    const double rate = static_cast<double>(done - before) / seconds;
    std::snprintf(text, sizeof text, rate < 10 ? " %.2g/s" : " %.0f/s", rate);
    line += text;
    if (done < total) {
      line += ", " + format_duration(static_cast<double>(total - done) / rate) + " left";
    }
  }
  return line;
}

/// Counts pieces of work and shows the line at most ten times a second. advance() may be called from any
/// thread.
class progress {
 public:
  /// Silent when `quiet` is true or stderr is no terminal.
  progress(std::string label, std::size_t total, bool quiet, std::size_t before = 0)
      : label_(std::move(label)),
        total_(total),
        before_(before),
        shown_(!quiet && ::isatty(STDERR_FILENO) == 1),
        done_(before) {}
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Wipes the line, so that what is printed next starts clean.
  ~progress() {
    if (printed_) {
      std::fputs("\r\033[K", stderr);
    }
  }

  void advance(std::size_t pieces = 1) noexcept {
    done_.fetch_add(pieces, std::memory_order_relaxed);
    if (!shown_) {
      return;
    }
    const std::unique_lock lock(printing_, std::try_to_lock);  // another thread is printing: it will do
    const clock::time_point now = clock::now();
    if (!lock || (printed_ && now - last_ < std::chrono::milliseconds(100))) {
      return;
    }
    try {
      const std::string line =
          progress_line(label_, done(), total_, before_, std::chrono::duration<double>(now - start_).count());
      std::fprintf(stderr, "\r%s\033[K", line.c_str());
    } catch (...) {  // no memory for a line of text: the work goes on without it
    }
    printed_ = true;
    last_ = now;
  }

  [[nodiscard]] std::size_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

 private:
  using clock = std::chrono::steady_clock;

  std::string label_;
  std::size_t total_, before_;
  bool shown_, printed_ = false;
  std::atomic<std::size_t> done_;
  std::mutex printing_;
  clock::time_point start_ = clock::now(), last_ = {};
};

}  // namespace act::report
