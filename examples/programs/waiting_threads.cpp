#include "programs/waiting_threads.hpp"

#if defined(_OPENMP) && defined(__linux__)
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <initializer_list>

namespace act_program {

void let_waiting_threads_sleep(char** arguments) noexcept {
  for (const char* said : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (std::getenv(said) != nullptr) return;
  }
  // Without an interpreter's address the kernel has started the dynamic loader, which has loaded the program:
  // the file to begin anew isn't known then.
  if (::getauxval(AT_BASE) == 0) return;
  // The file by its name, not by /proc/self/exe: a process is named after it.
  char program[PATH_MAX];
  const auto length = ::readlink("/proc/self/exe", program, sizeof program);
  if (length <= 0 || static_cast<std::size_t>(length) >= sizeof program) return;
  program[length] = '\0';
  // What is set here also stops the program from beginning anew a second time.
  if (::setenv("OMP_WAIT_POLICY", "passive", 0) != 0 || ::setenv("GOMP_SPINCOUNT", "2000", 0) != 0) return;
  ::execv(program, arguments);
}

}  // namespace act_program

#else

namespace act_program {

void let_waiting_threads_sleep(char** /*arguments*/) noexcept {}

}  // namespace act_program

#endif
