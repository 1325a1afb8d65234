#include <act/serve/refusal.hpp>
#include <act/serve/work_queue.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace act::serve {
namespace {

refusal stopping() {
  return refusal("", "act-serve is being stopped").with_status(503);
}

}  // namespace

work::work(std::chrono::milliseconds limit) : limit_(limit), deadline_(clock::now() + limit) {}

void work::refuse_late() const {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g", static_cast<double>(limit_.count()) / 1000);
  throw refusal("", "the answer takes longer than " + std::string(seconds) +
                        " s, which is the limit here; ask for fewer tokens, or try again when less is asked")
      .with_status(503);
}

void work::check() const {
  if (abandoned_) throw unwanted();
  if (clock::now() >= deadline_) refuse_late();
}

void work::give(std::string piece) {
  {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
  }
  changed_.notify_one();
}

void work::finish(std::exception_ptr failure) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
    failure_ = std::move(failure);
  }
  changed_.notify_one();
}

std::optional<std::string> work::next(const std::function<bool()>& gone) {
  constexpr std::chrono::milliseconds between_looks{50};
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!pieces_.empty()) {
      std::string piece = std::move(pieces_.front());
      pieces_.pop_front();
      return piece;
    }
    if (finished_) {
      if (failure_) std::rethrow_exception(failure_);
      return std::nullopt;
    }
    changed_.wait_for(lock, between_looks);
    if (!pieces_.empty() || finished_) continue;
    lock.unlock();
    if (gone()) {
      abandon();
      throw unwanted();
    }
    if (clock::now() >= deadline_) {
      abandon();
      refuse_late();
    }
    lock.lock();
  }
}

work_queue::work_queue(std::size_t workers, std::size_t waiting) : most_waiting_(waiting) {
  for (std::size_t i = 0; i < workers; ++i)
    workers_.emplace_back([this] { serve(); });
}

work_queue::~work_queue() {
  close(std::chrono::milliseconds(0));
}

work_queue::place::~place() {
  if (!of_) return;
  of_->abandon();
  in_->withdraw(of_);
}

work_queue::place work_queue::submit(std::function<void(work&)> run, std::chrono::milliseconds limit) {
  const auto of = std::make_shared<work>(limit);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw stopping();
    // A worker that is free takes what waits at once.
    const std::size_t free = workers_.size() - std::min(workers_.size(), running_.size());
    if (waiting_.size() >= most_waiting_ + free) {
      throw refusal("", "too many requests wait already; try again later").with_status(503).retry_after(1);
    }
    waiting_.push_back({of, std::move(run)});
  }
  changed_.notify_one();
  return {*this, of};
}

void work_queue::close(std::chrono::milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    for (const item& each : waiting_)
      each.of->finish(std::make_exception_ptr(stopping()));
    waiting_.clear();
    changed_.notify_all();
    changed_.wait_for(lock, grace, [this] { return running_.empty(); });
    for (const std::shared_ptr<work>& each : running_) {
      each->finish(std::make_exception_ptr(stopping()));
      each->abandon();
    }
  }
  for (std::thread& each : workers_)
    each.join();
  workers_.clear();
}

std::size_t work_queue::running() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

std::size_t work_queue::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void work_queue::withdraw(const std::shared_ptr<work>& of) {
  std::list<item> gone;  // ends behind the lock
  const std::lock_guard lock(mutex_);
  const auto at =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const item& each) { return each.of == of; });
  if (at != waiting_.end()) gone.splice(gone.begin(), waiting_, at);
}

void work_queue::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    item next = std::move(waiting_.front());
    waiting_.pop_front();
    running_.push_back(next.of);
    const auto at = std::prev(running_.end());
    lock.unlock();
    try {
      next.of->check();
      next.run(*next.of);
      next.of->finish();
    } catch (...) {
      next.of->finish(std::current_exception());
    }
    next = {};
    lock.lock();
    running_.erase(at);
    changed_.notify_all();
  }
}

}  // namespace act::serve
