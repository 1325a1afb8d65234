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
#include <utility>
#include <vector>

#include "temporary_folder.hpp"

namespace act_test {

struct process_result {
  int exit_code = -1;  ///< meaningless when a signal ended it
  bool killed = false;
  std::string out;
  std::string err;       ///< without lines of progress: only the machine's speed says whether there are any
  std::string progress;  ///< those
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// "searching 99 %, 16 trials/s ..." or "scoring 5/40 12 % 8.4/s ...": a whole number before the first %, no
/// colon, and behind it a comma, a rate or nothing. Tables have their % elsewhere.
inline bool is_progress(const std::string& line) {
  const std::size_t share = line.find(" %");
  if (share == std::string::npos || line.find(':') < share) return false;
  const std::size_t number = line.substr(0, share).find_last_not_of("0123456789") + 1;
  if (number == 0 || number == share || line[number - 1] != ' ') return false;
  const std::string behind = line.substr(share + 2, 2);
  return behind.empty() || behind[0] == ',' || behind[0] == '\n' ||
         (behind.size() == 2 && behind[0] == ' ' && behind[1] >= '0' && behind[1] <= '9');
}

/// Takes the lines of progress out of what was said on standard error.
inline std::string take_progress(std::string& said) {
  std::string kept, progress;
  for (std::size_t from = 0; from < said.size();) {
    const std::size_t end = std::min(said.find('\n', from), said.size() - 1) + 1;
    const std::string line = said.substr(from, end - from);
    (is_progress(line) ? progress : kept) += line;
    from = end;
  }
  said = kept;
  return progress;
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
  std::string said = read_file(err);
  std::string progress = take_progress(said);
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          .out = read_file(out),
          .err = std::move(said),
          .progress = std::move(progress)};
}

/// It ended with `code` and said why in one line, in which `names` stands.
inline void check_one_line(const process_result& run, int code, const std::string& names) {
  CAPTURE(run.err);
  CHECK(run.exit_code == code);
  CHECK(run.err.find(names) != std::string::npos);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
}

}  // namespace act_test
