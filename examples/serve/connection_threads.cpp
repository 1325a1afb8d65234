#include "serve/connection_threads.hpp"

#include <system_error>
#include <utility>

namespace act_program {
namespace {

constexpr std::size_t most_turned_away = 256;  // that wait for it

thread_local connection_threads::treatment treated = connection_threads::treatment::serve;

}  // namespace

connection_threads::treatment connection_threads::of_this_thread() noexcept {
  return treated;
}

connection_threads::connection_threads(std::size_t most)
    : most_(most), turning_away_([this] { turn_away_each(); }) {}

connection_threads::~connection_threads() {
  shutdown();
}

void connection_threads::enqueue(std::function<void()> connection) {
  {
    const std::lock_guard lock(mutex_);
    if (served_ == threads_.size() && served_ < most_) {
      try {
        threads_.emplace_back([this] { serve_each(); });
      } catch (const std::system_error&) {
        most_ = served_;  // the system has no more
      }
    }
    if (served_ < threads_.size()) {
      ++served_;
      waiting_.push_back(std::move(connection));
      changed_.notify_all();
      return;
    }
    if (away_.size() < most_turned_away) {
      away_.push_back(std::move(connection));
      changed_.notify_all();
      return;
    }
  }
  treated = treatment::drop;
  connection();
  treated = treatment::serve;
}

void connection_threads::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    changed_.notify_all();
  }
  for (std::thread& each : threads_)
    each.join();
  turning_away_.join();
}

void connection_threads::serve_each() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::function<void()> connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    connection();
    lock.lock();
    --served_;
  }
}

void connection_threads::turn_away_each() {
  treated = treatment::turn_away;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || !away_.empty(); });
    if (away_.empty()) return;
    const std::function<void()> connection = std::move(away_.front());
    away_.pop_front();
    lock.unlock();
    connection();
    lock.lock();
  }
}

}  // namespace act_program
