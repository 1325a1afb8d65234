// The tests of this folder on a real device: every kernel against the core. Says so, and passes, where there
// is none.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "cuda/real_device.hpp"

int main(int count, char** arguments) {
  if (const std::string missing = act_test::missing_device(); !missing.empty()) {
    std::printf("[skipped] no kernel ran: %s\n", missing.c_str());
    return 0;
  }
  std::printf("running on %s\n", act_test::device_name().c_str());
  doctest::Context context(count, arguments);
  return context.run();
}
