// A running act-serve, and clients of it that behave or don't: plain sockets, so that they can.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "examples/process.hpp"

namespace act_test {

struct http_answer {
  int status = 0;  ///< 0: none came
  std::string head, body;
};

/// One connection to a port of this machine.
class http_client {
 public:
  explicit http_client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  ~http_client() { ::close(socket_); }

  [[nodiscard]] bool connected() const { return connected_; }

  /// What could be sent of `text`, if the server takes it.
  std::size_t send(std::string_view text) const {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    return sent;
  }

  /// Bytes until `enough` says so, the connection ends, or a minute is over.
  std::string receive(const std::function<bool(const std::string&)>& enough = {}) const {
    std::string text;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until && !(enough && enough(text))) {
      pollfd each{.fd = socket_, .events = POLLIN, .revents = 0};
      if (::poll(&each, 1, 100) <= 0) continue;
      char bytes[4096];
      const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return text;
  }

  [[nodiscard]] http_answer answer() const {
    const std::string text = receive();
    const std::size_t end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
    return {
        .status = std::stoi(text.substr(9, 3)), .head = text.substr(0, end), .body = text.substr(end + 4)};
  }

 private:
  int socket_;
  bool connected_ = false;
};

inline std::string get_request(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

inline std::string post_request(const std::string& path, const std::string& body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// act-serve on a free port.
class served {
 public:
  explicit served(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), (std::filesystem::path(ACT_TEST_PROGRAMS) / "act-serve").string());
    arguments.insert(arguments.end(), {"--port", "0"});
    std::vector<char*> pointers;
    for (std::string& argument : arguments)
      pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const std::string out = folder_ / "out", err = folder_ / "err";
    process_ = fork();
    if (process_ == 0) {
      dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
      dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
      execv(pointers.front(), pointers.data());
      _exit(127);
    }
    while (said().find('\n') == std::string::npos && waitpid(process_, &status_, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::size_t at = said().find(":", said().find("http://") + 5);
    if (at != std::string::npos && said().starts_with("act-serve: http://"))
      port_ = std::stoi(said().substr(at + 1));
    CAPTURE(errors());
    REQUIRE(port_ > 0);
  }
  served(const served&) = delete;
  served& operator=(const served&) = delete;
  ~served() {
    if (process_ > 0) {
      kill(process_, SIGKILL);
      waitpid(process_, &status_, 0);
    }
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string said() const { return read_file(folder_ / "out"); }
  [[nodiscard]] std::string errors() const { return read_file(folder_ / "err"); }

  [[nodiscard]] http_answer get(const std::string& path) const {
    const http_client client(port_);
    client.send(get_request(path));
    return client.answer();
  }
  [[nodiscard]] http_answer post(const std::string& path, const std::string& body) const {
    const http_client client(port_);
    client.send(post_request(path, body));
    return client.answer();
  }
  [[nodiscard]] http_answer raw(const std::string& request) const {
    const http_client client(port_);
    client.send(request);
    return client.answer();
  }

  /// Its exit code behind a signal.
  int stop(int signal = SIGINT) {
    kill(process_, signal);
    waitpid(process_, &status_, 0);
    process_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }
  void tell(int signal) const { kill(process_, signal); }
  int wait() {
    waitpid(process_, &status_, 0);
    process_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

  [[nodiscard]] std::size_t open_files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(process_) + "/fd"),
                      std::filesystem::directory_iterator()));
  }
  /// Of its memory, in KB.
  [[nodiscard]] std::size_t resident() const {
    std::ifstream status("/proc/" + std::to_string(process_) + "/status");
    for (std::string word; status >> word;) {
      std::size_t count = 0;
      if (word == "VmRSS:" && status >> count) return count;
    }
    return 0;
  }

 private:
  temporary_folder folder_;
  pid_t process_ = 0;
  int status_ = 0;
  int port_ = 0;
};

}  // namespace act_test
