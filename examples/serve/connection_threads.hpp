// The threads that clients are listened to with: a thread a connection, up to a number of them. Who comes
// beyond that is told so by a thread of its own, instead of waiting unheard.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace act_program {

class connection_threads final : public httplib::TaskQueue {
 public:
  /// How the connection on this thread is to be treated.
  enum class treatment {
    serve,
    turn_away,  ///< one too many: say so
    drop,       ///< far too many: close it
  };

  explicit connection_threads(std::size_t most);
  ~connection_threads() override;

  void enqueue(std::function<void()> connection) override;
  void shutdown() override;

  [[nodiscard]] static treatment of_this_thread() noexcept;

 private:
  void serve_each();
  void turn_away_each();

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_, away_;
  std::size_t served_ = 0;  // connections that have, or will have, a thread of `threads_`
  bool ended_ = false;
  std::vector<std::thread> threads_;
  std::thread turning_away_;
};

}  // namespace act_program
