// Work that is done by a few threads while others wait for it: a bounded number of pieces of work waits, what
// comes beyond that is refused at once. Work that nobody waits for any more, or that takes too long, stops.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace act::serve {

/// Thrown to whoever works when nobody waits for it any more.
class unwanted : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "nobody waits for the answer any more"; }
};

/// What one who works and one who waits share. Safe to use from both threads at once.
class work {
 public:
  using clock = std::chrono::steady_clock;

  explicit work(std::chrono::milliseconds limit);

  /// For the one who works. Throws `unwanted`, and `refusal` (503) when the time is over.
  void check() const;
  /// Hands a piece of the answer over; never waits.
  void give(std::string piece);
  /// The last call: with what went wrong, if something did.
  void finish(std::exception_ptr failure = {});

  /// For the one who waits: the next piece, or nothing behind the last one. `gone` is asked now and then
  /// whether the client left. Throws what went wrong, `unwanted` for a client that left, `refusal` (503) when
  /// the time is over.
  [[nodiscard]] std::optional<std::string> next(const std::function<bool()>& gone);
  /// Nobody waits any more.
  void abandon() noexcept { abandoned_ = true; }

 private:
  [[noreturn]] void refuse_late() const;

  std::chrono::milliseconds limit_;
  clock::time_point deadline_;
  std::atomic<bool> abandoned_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  bool finished_ = false;
  std::exception_ptr failure_;
};

class work_queue {
 public:
  /// `workers` threads work, at most `waiting` pieces of work wait for them.
  work_queue(std::size_t workers, std::size_t waiting);
  work_queue(const work_queue&) = delete;
  work_queue& operator=(const work_queue&) = delete;
  /// As close() without time.
  ~work_queue();

  /// Somebody's place in the queue. Letting go of it abandons the work.
  class place {
   public:
    place(work_queue& in, std::shared_ptr<work> of) : in_(&in), of_(std::move(of)) {}
    place(place&& other) noexcept = default;
    place& operator=(place&&) = delete;
    ~place();

    [[nodiscard]] std::optional<std::string> next(const std::function<bool()>& gone) {
      return of_->next(gone);
    }

   private:
    work_queue* in_;
    std::shared_ptr<work> of_;
  };

  /// Has `run` done; what it throws goes to the one who waits. `limit`: from now until the end of it. Throws
  /// `refusal` (503) when too much waits already, or the queue is closed.
  [[nodiscard]] place submit(std::function<void(work&)> run, std::chrono::milliseconds limit);

  /// Takes nothing new, refuses what waits, and gives what runs `grace` to end before it is abandoned. Then
  /// no thread works any more.
  void close(std::chrono::milliseconds grace);

  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct item {
    std::shared_ptr<work> of;
    std::function<void(work&)> run;
  };
  void serve();
  void withdraw(const std::shared_ptr<work>& of);

  std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::list<item> waiting_;
  std::list<std::shared_ptr<work>> running_;
  bool closed_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace act::serve
