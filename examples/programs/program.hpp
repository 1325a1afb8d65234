// What every program has: some options, and how it runs and ends. The programs themselves only parse, call
// and print.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace act_program {

class command_line;

/// Options that every program has.
struct common_options {
  std::string model;
  std::size_t threads = 0;
  bool quiet = false;
  std::string json;

  void add_to(command_line& line);
};

/// Parses, runs `work`, and turns every way to fail into one line on stderr and an exit code.
[[nodiscard]] int run_program(command_line& line, int count, char** arguments,
                              const std::function<void()>& work);

}  // namespace act_program
