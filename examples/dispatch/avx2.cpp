// Compiled with -mavx2 -mfma -mf16c. Every processor with AVX2 has F16C, which clang 14 can't ask for.
#include "unit.hpp"

const dispatch::kernels dispatch::avx2{
    "avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, calibrate_here};
