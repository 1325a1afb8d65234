#include <unistd.h>

#include <act/report/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace act::report {

std::string format_duration(double seconds) {
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

std::string progress_line(const std::string& label, std::size_t done, std::size_t total, std::size_t before,
                          double seconds) {
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

namespace {

std::atomic<double> seconds_between_lines{30};

}  // namespace

void set_seconds_between_lines(double seconds) noexcept {
  seconds_between_lines = seconds > 0 ? std::min(seconds, 1e9) : 0.0;  // what isn't a number, too
}

progress::progress(std::string label, std::size_t total, bool quiet, std::size_t before)
    : label_(std::move(label)),
      total_(total),
      before_(before),
      terminal_(::isatty(STDERR_FILENO) == 1),
      shown_(!quiet && (terminal_ || seconds_between_lines > 0)),
      done_(before),
      between_(terminal_ ? std::chrono::milliseconds(100)
                         : std::chrono::duration_cast<clock::duration>(
                               std::chrono::duration<double>(seconds_between_lines))) {
  if (!terminal_) last_ = start_;
}

progress::~progress() {
  if (printed_ && terminal_) {
    std::fputs("\r\033[K", stderr);
  }
}

void progress::advance(std::size_t pieces) noexcept {
  done_.fetch_add(pieces, std::memory_order_relaxed);
  show([this](double seconds) { return progress_line(label_, done(), total_, before_, seconds); });
}

void progress::show(const std::function<std::string(double)>& line) noexcept {
  if (!shown_) {
    return;
  }
  const std::unique_lock lock(printing_, std::try_to_lock);  // another thread is printing: it will do
  const clock::time_point now = clock::now();
  if (!lock || now - last_ < between_) {
    return;
  }
  try {
    const std::string text = line(std::chrono::duration<double>(now - start_).count());
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", text.c_str());
  } catch (...) {  // no memory for a line of text: the work goes on without it
  }
  printed_ = true;
  last_ = now;
}

}  // namespace act::report
