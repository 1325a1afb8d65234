// Ctrl-C: the first one asks a program to stop between two pieces of work, a second one ends it at once.
#pragma once

#include <exception>
#include <string>

namespace act_program {

/// Thrown between batches after Ctrl-C. `remark`: what its one line says besides.
class interrupted : public std::exception {
 public:
  explicit interrupted(const std::string& remark = {})
      : line_(remark.empty() ? "interrupted" : "interrupted; " + remark) {}
  [[nodiscard]] const char* what() const noexcept override { return line_.c_str(); }

 private:
  std::string line_;
};

/// The first Ctrl-C (or SIGTERM) asks the program to stop at the next batch; a second one ends it at once.
void listen_for_interruption();

/// Throws `interrupted` once the program was asked to stop.
void stop_if_interrupted();

}  // namespace act_program
