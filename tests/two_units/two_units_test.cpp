// One program, two instruction sets: each unit has its own kernels, and both give the same answer.
#include "two_units/two_units.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

TEST_CASE("units with different -m flags don't share kernels") {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    MESSAGE("[skipped] this processor has no AVX2 with FMA");
    return;
  }
#endif
#if !defined(ACT_NO_XSIMD) && defined(__x86_64__)
  CHECK(baseline_arch() != avx2_arch());
#endif
  MESSAGE("instruction sets: " << baseline_arch() << " and " << avx2_arch());
  for (unsigned seed = 1; seed < 10; ++seed) {
    const auto one = calibrated_by_baseline(seed), other = calibrated_by_avx2(seed);
    REQUIRE(one.size() == other.size());
    for (std::size_t k = 0; k < one.size(); ++k)
      CHECK(std::abs(one[k] - other[k]) <= 4e-7F);
  }
}
