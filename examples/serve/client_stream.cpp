#include "serve/client_stream.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace act_program {
namespace {

constexpr std::chrono::milliseconds between_looks{100};

// The events that came within `time`; 0: none.
int events_of(int socket, short wanted, std::chrono::milliseconds time) {
  pollfd each{.fd = socket, .events = wanted, .revents = 0};
  return ::poll(&each, 1, static_cast<int>(std::max<std::int64_t>(time.count(), 0))) > 0 ? each.revents : 0;
}

}  // namespace

client_stream::client_stream(int socket, const bounds& within, const std::atomic<bool>& stopping)
    : socket_(socket), within_(within), stopping_(stopping) {}

bool client_stream::is_readable() const {
  return next_ < held_ || events_of(socket_, POLLIN, std::chrono::milliseconds(0)) != 0;
}

bool client_stream::is_writable() const {
  return events_of(socket_, POLLOUT, std::chrono::milliseconds(0)) != 0;
}

ssize_t client_stream::read(char* bytes, std::size_t size) {
  while (next_ == held_) {
    if (stopping_ || taken_ > within_.bytes) return -1;
    if (clock::now() - began_ >= within_.time) {
      late_ = true;
      return -1;
    }
    if (events_of(socket_, POLLIN, between_looks) == 0) continue;
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return count;
    next_ = 0;
    held_ = static_cast<std::size_t>(count);
    taken_ += held_;
  }
  const std::size_t count = std::min(size, held_ - next_);
  std::memcpy(bytes, buffer_.data() + next_, count);
  next_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t client_stream::write(const char* bytes, std::size_t size) {
  for (;;) {
    const ssize_t count = ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return count;
    if (errno != EAGAIN && errno != EINTR) return -1;
    const clock::time_point before = clock::now();
    (void)events_of(socket_, POLLOUT, between_looks);
    waited_ += clock::now() - before;
    if (waited_ >= within_.time) return -1;
  }
}

bool client_stream::gone() const {
  return (events_of(socket_, POLLRDHUP, std::chrono::milliseconds(0)) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Nobody is told who asks.
void client_stream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void client_stream::get_local_ip_and_port(std::string& ip, int& port) const {
  get_remote_ip_and_port(ip, port);
}

void client_stream::end(std::chrono::milliseconds time) {
  ::shutdown(socket_, SHUT_WR);
  const clock::time_point until = clock::now() + time;
  while (!stopping_ && clock::now() < until) {
    if (events_of(socket_, POLLIN, std::min(time, between_looks)) == 0) continue;
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

}  // namespace act_program
