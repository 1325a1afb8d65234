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
  double progress_every = 30;

  void add_to(command_line& line);
  /// Those that say which model, and in what numbers it is run.
  void add_model_to(command_line& line);
  /// All others.
  void add_running_to(command_line& line);
  void add_threads_to(command_line& line);
  [[nodiscard]] act::runtime::compute_type compute_type() const;
};

/// Parses, runs `work`, and turns every way to fail into one line on stderr and an exit code; standard output
/// that took not all that was printed is one. With --json - the JSON alone goes there, and what is printed
/// for people to stderr.
[[nodiscard]] int run_program(command_line& line, common_options& options, int count, char** arguments,
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
/// Called again, it forgets one that was heeded.
void listen_for_interruption();

/// Throws `interrupted` once the program was asked to stop.
void stop_if_interrupted();

/// Throws act::error (io) once standard output took less than was printed: a full disk.
void stop_if_not_printed();

}  // namespace act_program
