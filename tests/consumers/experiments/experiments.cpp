// What a program needs of the installed libraries: their headers beside the core's, and their code.
#include <act/calibrate.hpp>
#include <act/io/text_file.hpp>
#include <act/runtime/sampling.hpp>
#include <act/statistics/paired_tests.hpp>

#include <cstdio>

int main() {
  const double p = act::statistics::mcnemar_exact(3, 0);
  const bool right = p > 0.2499 && p < 0.2501 && act::io::latin1_to_utf8("\xe9") == "\xc3\xa9";
  std::printf("act %s: %s\n", ACT_VERSION_STRING, right ? "experiments linked" : "wrong");
  return right ? 0 : 1;
}
