// What act-serve answers, whoever carries requests and answers: paths and bodies in, bodies and events out.
// No request reaches the file system.
#pragma once

#include <act/serve/answer_json.hpp>
#include <act/serve/generation_request.hpp>
#include <act/serve/served_models.hpp>
#include <act/serve/work_queue.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace act::serve {

struct service_options {
  request_limits limits;
  std::size_t workers = 1;                        ///< requests that are worked on at once
  std::size_t waiting = 32;                       ///< requests that wait for that; more are refused with 503
  std::chrono::milliseconds time_limit{300'000};  ///< of each request, waiting included
};

/// An answer that comes as it is made. Letting go of it ends the work on it.
class event_stream {
 public:
  explicit event_stream(work_queue::place place) : place_(std::move(place)) {}

  /// The next events; nothing behind the last ones. What goes wrong is an event, too. `gone`: whether the
  /// client left, asked now and then; then nothing comes any more.
  [[nodiscard]] std::optional<std::string> next(const std::function<bool()>& gone);

 private:
  work_queue::place place_;
  bool ended_ = false;
};

struct service_answer {
  int status = 200;
  unsigned retry_after = 0;  ///< seconds; 0: not said
  std::string body;          ///< JSON, unless there are events
  std::unique_ptr<event_stream> events;
};

class service {
 public:
  /// Precondition: there is a model.
  service(served_models models, const service_options& options);

  /// Answers a request whose head was checked (request_head.hpp). Waits for what has to be made, unless it is
  /// a stream. `gone`: whether the client left, asked now and then; then there is no answer. Throws nothing
  /// but std::bad_alloc. Safe to call from any number of threads at once.
  [[nodiscard]] std::optional<service_answer> answer(std::string_view path, std::string_view body,
                                                     const std::function<bool()>& gone);

  /// As work_queue::close.
  void close(std::chrono::milliseconds grace) { queue_.close(grace); }

  [[nodiscard]] const served_models& models() const noexcept { return models_; }

 private:
  [[nodiscard]] service_answer routed(std::string_view path, std::string_view body,
                                      const std::function<bool()>& gone);
  [[nodiscard]] service_answer complete_texts(std::string_view body, const std::function<bool()>& gone);
  [[nodiscard]] service_answer complete_chat(std::string_view body, const std::function<bool()>& gone);
  [[nodiscard]] answer_heading heading(answer_kind kind, const std::string& model);

  served_models models_;
  service_options options_;
  std::int64_t began_;  // seconds since 1970
  std::uint64_t identity_;
  std::atomic<std::uint64_t> answered_{0};
  work_queue queue_;  // last: its threads end before what they use
};

}  // namespace act::serve
