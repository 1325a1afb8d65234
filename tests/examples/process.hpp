// Runs a program of the build and returns what it printed and how it ended.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "temporary_folder.hpp"

namespace act_test {

struct process_result {
  int exit_code = -1;  ///< meaningless when a signal ended it
  bool killed = false;
  std::string out;
  std::string err;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What a program said on standard error but for its lines of progress: only the machine's speed says whether
/// there are any.
inline std::string complaints(const process_result& run) {
  std::string kept;
  for (std::size_t from = 0; from < run.err.size();) {
    const std::size_t end = std::min(run.err.find('\n', from), run.err.size() - 1) + 1;
    const std::string line = run.err.substr(from, end - from);
    const std::size_t share = line.find(" %");  // "searching 99 %, ...", "scoring 5/40 12 % ..."
    const bool progress = share != std::string::npos && line.find(':') > share && share > 0 &&
                          line[share - 1] >= '0' && line[share - 1] <= '9';
    if (!progress) kept += line;
    from = end;
  }
  return kept;
}

/// A signal to send as soon as `when` holds, unless the program has ended by then.
struct interruption {
  int signal = SIGKILL;
  std::function<bool()> when;
};

/// `input`: what standard input has; without it there is none.
inline process_result run_program(const std::string& name, std::vector<std::string> arguments,
                                  std::optional<interruption> interrupt = {},
                                  const std::optional<std::string>& input = {}) {
  const temporary_folder folder;
  const std::string out = folder / "out";
  const std::string err = folder / "err";
  const std::string in = input ? folder.write("in", *input).string() : "/dev/null";
  // Another program by its whole path.
  arguments.insert(arguments.begin(), (std::filesystem::path(ACT_TEST_PROGRAMS) / name).string());
  std::vector<char*> pointers;
  for (std::string& argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    dup2(open(in.c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    execv(pointers.front(), pointers.data());
    _exit(127);
  }
  int status = 0;
  if (interrupt) {
    pid_t ended = 0;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && !interrupt->when()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (ended == 0) {
      kill(child, interrupt->signal);
      waitpid(child, &status, 0);
    }
  } else {
    waitpid(child, &status, 0);
  }
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          .out = read_file(out),
          .err = read_file(err)};
}

/// It ended with `code` and said why in one line, in which `names` stands.
inline void check_one_line(const process_result& run, int code, const std::string& names) {
  CAPTURE(run.err);
  CHECK(run.exit_code == code);
  CHECK(run.err.find(names) != std::string::npos);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
}

}  // namespace act_test
