// Why a request isn't answered, as OpenAI's API says it: a status, and a JSON body whose message names the
// parameter that is wrong. For everything that reads or runs requests.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace act::serve {

/// Thrown by what reads and runs requests, caught where they are answered (service.hpp).
class refusal : public std::exception {
 public:
  /// A request that can't be: 400. `parameter` is the member of its body, empty for the body as a whole.
  refusal(std::string parameter, std::string message)
      : parameter_(std::move(parameter)), message_(std::move(message)) {}

  /// With another status: 404 for a model or path there isn't, 413 for too much, 503 for not now.
  [[nodiscard]] refusal with_status(int status) const {
    refusal other = *this;
    other.status_ = status;
    return other;
  }
  /// The client may try again after so many seconds.
  [[nodiscard]] refusal retry_after(unsigned seconds) const {
    refusal other = *this;
    other.retry_after_ = seconds;
    return other;
  }

  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] unsigned retry_after() const noexcept { return retry_after_; }  ///< 0: not said
  [[nodiscard]] const std::string& parameter() const noexcept { return parameter_; }

  /// {"error": {"message", "type", "param", "code"}}, on one line.
  [[nodiscard]] std::string body() const;

 private:
  int status_ = 400;
  unsigned retry_after_ = 0;
  std::string parameter_;
  std::string message_;
};

}  // namespace act::serve
