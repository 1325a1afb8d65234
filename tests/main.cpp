#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#if defined(ACT_TEST_SANITIZED) && defined(__clang__)
// LLVM's OpenMP runtime leaves what its own threads allocated when a program ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libomp.so";
}
#endif
