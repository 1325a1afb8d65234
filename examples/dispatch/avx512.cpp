// Compiled with -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl and AVX2's flags.
#include "unit.hpp"

const dispatch::kernels dispatch::avx512{"avx512",
                                         [] {
                                           return __builtin_cpu_supports("avx512f") &&
                                                  __builtin_cpu_supports("avx512bw") &&
                                                  __builtin_cpu_supports("avx512cd") &&
                                                  __builtin_cpu_supports("avx512dq") &&
                                                  __builtin_cpu_supports("avx512vl");
                                         },
                                         calibrate_here};
