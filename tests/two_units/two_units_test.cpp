// One program, several instruction sets: each unit has its own kernels, and all give the same answer.
#include "two_units/two_units.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

namespace {

void check_same(std::vector<float> (*other)(unsigned)) {
  for (unsigned seed = 1; seed < 10; ++seed) {
    const auto expected = calibrated_by_baseline(seed), got = other(seed);
    REQUIRE(got.size() == expected.size());
    for (std::size_t k = 0; k < got.size(); ++k)
      CHECK(std::abs(got[k] - expected[k]) <= 4e-7F);
  }
}

}  // namespace

TEST_CASE("units with different -m flags don't share kernels") {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    MESSAGE("[skipped] this processor has no AVX2 with FMA");
    return;
  }
#if !defined(ACT_NO_XSIMD)
  CHECK(baseline_arch() != avx2_arch());
#endif
  MESSAGE("instruction sets: " << baseline_arch() << " and " << avx2_arch());
  check_same(calibrated_by_avx2);
}

TEST_CASE("neither does a third one, for AVX-512") {
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512cd")) {
    MESSAGE("[skipped] this processor has no AVX-512 (F, BW, CD, DQ, VL)");
    return;
  }
#if !defined(ACT_NO_XSIMD)
  CHECK(avx512_arch() != avx2_arch());
  CHECK(avx512_arch() != baseline_arch());
#endif
  MESSAGE("instruction set: " << avx512_arch());
  check_same(calibrated_by_avx512);
}
