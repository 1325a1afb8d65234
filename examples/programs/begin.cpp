#include "programs/begin.hpp"

#if defined(__linux__)
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>

#include "programs/processor_level.hpp"

namespace act_program {
namespace {

// Whether something was said that only a new beginning hears.
bool say_how_threads_wait() noexcept {
#if defined(_OPENMP)
  for (const char* said : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (std::getenv(said) != nullptr) return false;
  }
  // What is set here also stops the program from beginning anew a second time.
  return ::setenv("OMP_WAIT_POLICY", "passive", 0) == 0 && ::setenv("GOMP_SPINCOUNT", "2000", 0) == 0;
#else
  return false;
#endif
}

}  // namespace

void begin_program(char** arguments) noexcept {
  // Without an interpreter's address the kernel has started the dynamic loader, which has loaded the program:
  // the file to begin anew isn't known then.
  if (::getauxval(AT_BASE) == 0) return;
  // The file by its name, not by /proc/self/exe: a process is named after it.
  char program[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", program, sizeof program);
  if (length <= 0 || static_cast<std::size_t>(length) >= sizeof program) return;
  program[length] = '\0';
  const bool anew = say_how_threads_wait();
  try {
    const std::filesystem::path fitting = fitting_build(program);
    if (!fitting.empty()) ::execv(fitting.c_str(), arguments);
  } catch (...) {  // no memory for a name: this build serves
  }
  if (anew) ::execv(program, arguments);
}

}  // namespace act_program

#else

namespace act_program {

void begin_program(char** /*arguments*/) noexcept {}

}  // namespace act_program

#endif
