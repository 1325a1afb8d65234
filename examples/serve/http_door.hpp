// The service over HTTP: cpp-httplib reads and writes, everything that is decided is act::serve's. One
// request a connection.
#pragma once

#include <httplib.h>
#include <act/serve/service.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>

namespace act_program {

struct door_options {
  std::size_t connections = 64;
  std::size_t body_bytes = std::size_t{1} << 20;
  std::chrono::milliseconds client_time{30'000};
  bool quiet = false;  ///< no line for each request
};

class http_door final : public httplib::Server {
 public:
  /// `service` must outlive this.
  http_door(act::serve::service& service, const door_options& options);

  /// No connection is taken any more, and those that haven't sent a request are closed. listen_after_bind
  /// then returns once the others are answered.
  void close();

 private:
  bool process_and_close_socket(socket_t socket) override;
  bool serve_connection(socket_t socket);
  void answer(const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader& content) const;

  act::serve::service& service_;
  door_options options_;
  std::atomic<bool> stopping_{false};
};

}  // namespace act_program
