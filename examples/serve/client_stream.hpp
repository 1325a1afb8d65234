// A client's connection, as cpp-httplib reads and writes it: bounded in bytes and in time, so that a client
// that sends or reads slowly, or not at all, is let go.
#pragma once

#include <httplib.h>
#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace act_program {

class client_stream final : public httplib::Stream {
 public:
  using clock = std::chrono::steady_clock;

  struct bounds {
    std::chrono::milliseconds time;  ///< to send the request, and again for the time that writing waits
    std::size_t bytes;               ///< of a request, its head too
  };

  /// Doesn't own the socket. `stopping`: reads end where it becomes true; must outlive this.
  client_stream(int socket, const bounds& within, const std::atomic<bool>& stopping);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* bytes, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

  /// Whether the client has closed its side: nobody waits for the answer.
  [[nodiscard]] bool gone() const;
  /// Whether reading ended because the client took too long.
  [[nodiscard]] bool late() const noexcept { return late_; }
  [[nodiscard]] clock::duration open_for() const { return clock::now() - began_; }

  /// Says that nothing more comes, and takes in what the client still sends for at most `time`: a connection
  /// that is closed on unread bytes is reset, and the client might lose the answer.
  void end(std::chrono::milliseconds time);

 private:
  int socket_;
  bounds within_;
  const std::atomic<bool>& stopping_;
  clock::time_point began_ = clock::now();
  std::array<char, 4096> buffer_{};
  std::size_t next_ = 0, held_ = 0;
  std::size_t taken_ = 0;     // bytes from the socket
  clock::duration waited_{};  // to write
  bool late_ = false;
};

}  // namespace act_program
