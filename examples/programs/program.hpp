// What every program has: some options, and how it runs and ends. The programs themselves only parse, call
// and print.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string>

namespace act::runtime {
enum class compute_type;
}

namespace act_program {

class command_line;

/// Options that every program has.
struct common_options {
  std::string model;
  std::string compute = "f32";
  std::size_t threads = 0;
  bool quiet = false;
  bool profile = false;
  std::string json;

  void add_to(command_line& line);
  [[nodiscard]] act::runtime::compute_type compute_type() const;
};

/// Parses, runs `work`, and turns every way to fail into one line on stderr and an exit code.
[[nodiscard]] int run_program(command_line& line, int count, char** arguments,
                              const std::function<void()>& work);

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
